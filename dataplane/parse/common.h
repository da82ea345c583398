/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fast lane: a straight line for the packets that nearly all traffic consists of. It decides
 * nothing: a packet that is not plain, or that has anything wrong with it, is left to the general
 * lane, which gives the reason. What it does read, it reads as the general lane would
 * (tests/prog/lanes_test.cpp). Facts are filled in later, for packets that somebody asks about.
 */
#pragma once

#include "parse/ipv4.h"
#include "parse/ipv6.h"
#include "parse/link.h"
#include "parse/transport.h"

/* What was seen of a common packet. */
struct common {
	const void *l3; /* the IP header; it and the transport header are whole */
	__u32 frame_len;
	__u8 l3_offset;
	__u8 kind; /* enum packet_kind: TCP or UDP */
};

/* A TCP or UDP header at `l4` with `left` bytes of IP packet from there on. */
static __always_inline int see_transport(const void *l4, const void *end, __u32 left, __u8 proto,
					 struct common *seen)
{
	const struct udphdr *udp = l4;
	const __u8 *tcp = l4;
	__u32 len;

	if (proto == IPPROTO_TCP) {
		if (l4 + TCP_MIN_LEN > end)
			return 0;
		len = tcp[TCP_OFFSET_OCTET] >> 4 << 2;
		return len >= TCP_MIN_LEN && len <= left;
	}
	if (proto != IPPROTO_UDP)
		return 0;
	seen->kind++;
	len = bpf_ntohs(udp->len);
	return len >= UDP_LEN && len <= left;
}

/* An IP packet of this type at `offset` (a constant) from the start of a frame of `frame_len` bytes. */
static __always_inline int see_ip(const void *start, const void *end, __u32 offset, __be16 type,
				  __u32 frame_len, struct common *seen)
{
	const void *l3 = start + offset;
	__u32 len = frame_len - offset, ip_len;

	seen->l3 = l3;
	seen->l3_offset = offset;
	seen->frame_len = frame_len;
	if (l3 + IPV4_MIN_LEN + UDP_LEN > end)
		return 0;
	if (likely(type == bpf_htons(ETH_P_IP))) {
		const struct iphdr *ip = l3;

		ip_len = bpf_ntohs(ip->tot_len);
		if (*(const __u8 *)l3 != 0x45 ||
		    ip->frag_off & bpf_htons(IPV4_FRAG_OFFSET | IPV4_MORE_FRAGS) ||
		    ip_len < IPV4_MIN_LEN || ip_len > len)
			return 0;
		seen->kind = KIND_IPV4_TCP;
		return see_transport(l3 + IPV4_MIN_LEN, end, ip_len - IPV4_MIN_LEN, ip->protocol,
				     seen);
	}
	if (type == bpf_htons(ETH_P_IPV6)) {
		const struct ipv6hdr *ip = l3;

		if (l3 + IPV6_LEN + UDP_LEN > end || ip->version != 6)
			return 0;
		ip_len = IPV6_LEN + bpf_ntohs(ip->payload_len);
		if (ip_len > len)
			return 0;
		seen->kind = KIND_IPV6_TCP;
		return see_transport(l3 + IPV6_LEN, end, ip_len - IPV6_LEN, ip->nexthdr, seen);
	}
	return 0;
}

/*
 * An Ethernet frame with at most one VLAN tag, then IPv4 without options and not a fragment, or IPv6
 * without extension headers, then TCP or UDP with its whole header; the IP packet ends in the first
 * buffer. (XDP does not count what may lie behind it in further ones.) Returns 1, or 0.
 */
static __always_inline int see_common(frame *ctx, struct common *seen)
{
	void *start = frame_start(ctx), *end = frame_end(ctx);
	__u32 frame_len = frame_first_length(ctx, start, end);
	const struct vlan_tag *tag = start + ETH_HLEN;
	__be16 type;

	if ((void *)(tag + 1) > end)
		return 0;
	type = *(const __be16 *)(start + 2 * ETH_ALEN);
	if (likely(!is_vlan(type)))
		return see_ip(start, end, ETH_HLEN, type, frame_len, seen);
	return see_ip(start, end, ETH_HLEN + sizeof(*tag), tag->type, frame_len, seen);
}

/* Of the outermost tag: beside the frame, or in it. */
static __always_inline __u16 common_vlan(frame *ctx, const struct common *seen)
{
	const struct vlan_tag *tag = seen->l3 - sizeof(*tag);
	__u32 beside = frame_tag(ctx);

	if (beside)
		return vlan_fact(beside);
	return seen->l3_offset == ETH_HLEN ? 0 : VLAN_PRESENT | (bpf_ntohs(tag->tci) & VLAN_ID_MASK);
}

/* All facts but the rare ones, of a packet that see_common() has just seen. */
static __always_inline void fill_in(frame *ctx, const struct common *seen, struct packet *pkt)
{
	int ipv4 = seen->kind < KIND_IPV6_TCP;
	int tcp = seen->kind == KIND_IPV4_TCP || seen->kind == KIND_IPV6_TCP;
	__u32 ip_header_len = ipv4 ? IPV4_MIN_LEN : IPV6_LEN;
	const struct udphdr *ports = seen->l3 + ip_header_len;

	if (ipv4) {
		const struct iphdr *ip = seen->l3;

		pkt->saddr_hi = pkt->daddr_hi = 0;
		pkt->saddr_lo = bpf_ntohl(ip->saddr);
		pkt->daddr_lo = bpf_ntohl(ip->daddr);
		pkt->ether_type = ETH_P_IP;
		pkt->frag_off = bpf_ntohs(ip->frag_off);
		pkt->tos = ip->tos;
		pkt->ip_len = bpf_ntohs(ip->tot_len);
	} else {
		const struct ipv6hdr *ip = seen->l3;

		pkt->saddr_hi = high_half(ip->saddr.in6_u.u6_addr32);
		pkt->saddr_lo = low_half(ip->saddr.in6_u.u6_addr32);
		pkt->daddr_hi = high_half(ip->daddr.in6_u.u6_addr32);
		pkt->daddr_lo = low_half(ip->daddr.in6_u.u6_addr32);
		pkt->ether_type = ETH_P_IPV6;
		pkt->frag_off = 0;
		pkt->tos = bpf_ntohs(*(const __be16 *)seen->l3) >> 4;
		pkt->ip_len = IPV6_LEN + bpf_ntohs(ip->payload_len);
	}
	pkt->sport = bpf_ntohs(ports->source);
	pkt->dport = bpf_ntohs(ports->dest);
	pkt->vlan = common_vlan(ctx, seen);
	pkt->transport = pkt->l4proto = tcp ? IPPROTO_TCP : IPPROTO_UDP;
	pkt->tcp_flags = tcp ? ((const __u8 *)ports)[TCP_FLAGS_OCTET] : 0;
	pkt->icmp_type = pkt->icmp_code = pkt->classes = pkt->segmented = 0;
	pkt->kind = seen->kind;
	pkt->frame_len = seen->frame_len;
	pkt->l3_offset = seen->l3_offset;
	pkt->l4_offset = seen->l3_offset + ip_header_len;
}
