/* SPDX-License-Identifier: GPL-2.0-only */
/* ICMP echo to a VIP is answered here: the VIP lives on no node's stack (RFC 792, RFC 4443). */
#pragma once

#include "packet.h"
#include "parse/transport.h"

#define ECHO_TTL 64

static __always_inline int is_echo_request(const struct packet *pkt)
{
	return (pkt->kind == KIND_IPV4_ICMP && pkt->icmp_type == ICMP_ECHO) ||
	       (pkt->kind == KIND_IPV6_ICMP && pkt->icmp_type == ICMPV6_ECHO_REQUEST);
}

/* RFC 1624, eqn. 3: the checksum after one of its 16-bit words changed. */
static __always_inline __u16 checksum_replace(__u16 check, __u16 from, __u16 to)
{
	__u32 sum = (__u16)~check + (__u16)~from + to;

	sum = (sum & 0xffff) + (sum >> 16);
	sum += sum >> 16;
	return ~sum;
}

static __always_inline void swap_octets(__u8 *a, __u8 *b, __u32 len)
{
	for (__u32 i = 0; i < len; i += 2) {
		__u16 kept = *(__u16 *)(a + i);

		*(__u16 *)(a + i) = *(__u16 *)(b + i);
		*(__u16 *)(b + i) = kept;
	}
}

/* Turns the request into its reply, in place. The sums of addresses stay the same when swapped. */
static __always_inline struct outcome answer_echo(struct xdp_md *ctx, const struct packet *pkt)
{
	void *data = frame_start(ctx), *end = frame_end(ctx);
	__u32 l3 = pkt->l3_offset, l4 = pkt->l4_offset;
	struct ethhdr *eth = data;
	__u8 *type;
	__u16 *check;

	if (l3 > 64 || l4 > 0x7fff || (void *)(eth + 1) > end || data + l4 + ICMP_LEN > end)
		return drop(REASON_SPLIT_HEADERS);
	type = data + l4;
	check = data + l4 + 2;
	swap_octets(eth->h_dest, eth->h_source, ETH_ALEN);
	if (is_ipv4(pkt)) {
		struct iphdr *ip = data + l3;
		__u16 *ttl_word = (void *)&ip->ttl; /* TTL and protocol share a checksum word */
		__u16 before;

		if ((void *)(ip + 1) > end)
			return drop(REASON_SPLIT_HEADERS);
		before = *ttl_word;
		ip->ttl = ECHO_TTL;
		ip->check = checksum_replace(ip->check, before, *ttl_word);
		swap_octets((__u8 *)&ip->saddr, (__u8 *)&ip->daddr, sizeof(ip->saddr));
		*check = checksum_replace(*check, bpf_htons(ICMP_ECHO << 8), bpf_htons(ICMP_ECHO_REPLY << 8));
		/*
		 * The reply may be nothing but zeros, whose sum is 0 and whose checksum is 0xffff; of any
		 * other message 0xffff says the same as 0. (ICMPv6 sums up addresses, too: never 0.)
		 */
		if (!*check)
			*check = 0xffff;
		*type = ICMP_ECHO_REPLY;
	} else {
		struct ipv6hdr *ip = data + l3;

		if ((void *)(ip + 1) > end)
			return drop(REASON_SPLIT_HEADERS);
		ip->hop_limit = ECHO_TTL; /* in no checksum */
		swap_octets((__u8 *)&ip->saddr, (__u8 *)&ip->daddr, sizeof(ip->saddr));
		*check = checksum_replace(*check, bpf_htons(ICMPV6_ECHO_REQUEST << 8),
					  bpf_htons(ICMPV6_ECHO_REPLY << 8));
		*type = ICMPV6_ECHO_REPLY;
	}
	return outcome(VERDICT_SEND, REASON_ECHO);
}
