/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fast lane: a straight line for the packets that nearly all traffic consists of. It decides
 * nothing: a packet that is not plain, or that has anything wrong with it, is left to the general
 * lane, which gives the reason. What it does read, it reads as the general lane would
 * (tests/prog/lanes_test.cpp).
 */
#pragma once

#include "parse/ipv4.h"
#include "parse/ipv6.h"
#include "parse/link.h"
#include "parse/transport.h"

/* A TCP or UDP header at `l4` with `left` bytes of IP packet from there on. */
static __always_inline int common_transport(const void *l4, const void *end, __u32 left, __u8 proto,
					    struct packet *pkt)
{
	const struct udphdr *udp = l4;
	const __u8 *tcp = l4;
	__u32 len;

	pkt->tcp_flags = 0;
	if (proto == IPPROTO_TCP) {
		if (l4 + TCP_MIN_LEN > end)
			return 0;
		len = tcp[TCP_OFFSET_OCTET] >> 4 << 2;
		if (len < TCP_MIN_LEN || len > left)
			return 0;
		pkt->tcp_flags = tcp[TCP_FLAGS_OCTET];
	} else if (proto == IPPROTO_UDP) {
		len = bpf_ntohs(udp->len);
		if (len < UDP_LEN || len > left)
			return 0;
		pkt->kind++;
	} else {
		return 0;
	}
	pkt->transport = pkt->l4proto = proto;
	pkt->sport = bpf_ntohs(udp->source);
	pkt->dport = bpf_ntohs(udp->dest);
	return 1;
}

/*
 * An Ethernet frame with at most one VLAN tag, then IPv4 without options and not a fragment, or IPv6
 * without extension headers, then TCP or UDP with its whole header in the first buffer. `vlan`: of a
 * tag beside the frame. Returns 1 and fills in all common facts, or 0.
 */
static __always_inline int parse_common(frame *ctx, __u32 frame_len, __u16 vlan, struct packet *pkt)
{
	void *start = frame_start(ctx), *end = frame_end(ctx);
	const struct ethhdr *eth = start;
	__u32 l3_offset = sizeof(*eth), len;
	void *l3 = start + sizeof(*eth);
	__be16 type;

	if (l3 + IPV4_MIN_LEN + UDP_LEN > end)
		return 0;
	type = eth->h_proto;
	if (unlikely(is_vlan(type))) {
		const struct vlan_tag *tag = l3;

		type = tag->type;
		if (!vlan)
			vlan = VLAN_PRESENT | (bpf_ntohs(tag->tci) & VLAN_ID_MASK);
		l3 += sizeof(*tag);
		l3_offset += sizeof(*tag);
		if (l3 + IPV4_MIN_LEN + UDP_LEN > end)
			return 0;
	}
	pkt->icmp_type = pkt->icmp_code = pkt->classes = pkt->segmented = 0;
	pkt->frame_len = frame_len;
	pkt->vlan = vlan;
	pkt->l3_offset = l3_offset;
	len = frame_len - l3_offset;

	if (likely(type == bpf_htons(ETH_P_IP))) {
		const struct iphdr *ip = l3;
		__u32 total = bpf_ntohs(ip->tot_len);

		if (*(const __u8 *)l3 != 0x45 ||
		    ip->frag_off & bpf_htons(IPV4_FRAG_OFFSET | IPV4_MORE_FRAGS) ||
		    total < IPV4_MIN_LEN || total > len)
			return 0;
		pkt->ether_type = ETH_P_IP;
		pkt->saddr_hi = pkt->daddr_hi = 0;
		pkt->saddr_lo = bpf_ntohl(ip->saddr);
		pkt->daddr_lo = bpf_ntohl(ip->daddr);
		pkt->frag_off = bpf_ntohs(ip->frag_off);
		pkt->tos = ip->tos;
		pkt->ip_len = total;
		pkt->kind = KIND_IPV4_TCP;
		pkt->l4_offset = l3_offset + IPV4_MIN_LEN;
		return common_transport(l3 + IPV4_MIN_LEN, end, total - IPV4_MIN_LEN, ip->protocol,
					pkt);
	}
	if (type == bpf_htons(ETH_P_IPV6)) {
		const struct ipv6hdr *ip = l3;
		__u32 payload;

		if (l3 + IPV6_LEN + UDP_LEN > end || ip->version != 6)
			return 0;
		payload = bpf_ntohs(ip->payload_len);
		if (payload + IPV6_LEN > len)
			return 0;
		pkt->ether_type = ETH_P_IPV6;
		pkt->saddr_hi = high_half(ip->saddr.in6_u.u6_addr32);
		pkt->saddr_lo = low_half(ip->saddr.in6_u.u6_addr32);
		pkt->daddr_hi = high_half(ip->daddr.in6_u.u6_addr32);
		pkt->daddr_lo = low_half(ip->daddr.in6_u.u6_addr32);
		pkt->frag_off = 0;
		pkt->tos = bpf_ntohs(*(const __be16 *)l3) >> 4;
		pkt->ip_len = IPV6_LEN + payload;
		pkt->kind = KIND_IPV6_TCP;
		pkt->l4_offset = l3_offset + IPV6_LEN;
		return common_transport(l3 + IPV6_LEN, end, payload, ip->nexthdr, pkt);
	}
	return 0;
}
