/* SPDX-License-Identifier: GPL-2.0-only */
/* Outer headers: IP in IP (RFC 2003), IPv6 in IPv6 (RFC 2473). The inner packet stays untouched. */
#pragma once

#include "lb/l2.h"
#include "parse/ipv4.h"
#include "parse/ipv6.h"

#define TUNNEL_TTL 64 /* IANA's recommended default */

/* A configured address, or a prefix whose host bits come from the flow. */
static __always_inline void outer_source(const struct generation *gen, __u32 family, __u64 hash,
					 __be32 *source)
{
	__u32 low = hash;

	if (family == 4) {
		source[0] = gen->source4 | (low & gen->source4_host);
		return;
	}
	source[0] = gen->source6[0] | (mix64(hash + 1) & gen->source6_host[0]);
	source[1] = gen->source6[1] | (mix64(hash + 2) & gen->source6_host[1]);
	source[2] = gen->source6[2] | (mix64(hash + 3) & gen->source6_host[2]);
	source[3] = gen->source6[3] | (low & gen->source6_host[3]);
}

/* RFC 1071 over the 20 octets of a header without options, its checksum field 0. */
static __always_inline __u16 ipv4_checksum(const struct iphdr *ip)
{
	const __u16 *word = (const void *)ip;
	__u32 sum = 0;

#pragma unroll
	for (int i = 0; i < IPV4_MIN_LEN / 2; i++)
		sum += word[i];
	sum = (sum & 0xffff) + (sum >> 16);
	sum += sum >> 16;
	return ~sum;
}

static __always_inline void write_outer4(struct iphdr *outer, const struct packet *pkt,
					 __be32 source, const struct backend *to)
{
	outer->version = 4;
	outer->ihl = IPV4_MIN_LEN / 4;
	outer->tos = pkt->tos;
	outer->tot_len = bpf_htons(IPV4_MIN_LEN + pkt->ip_len);
	/* Never to be fragmented, so that the identification may be 0: RFC 6864, 4.1. */
	outer->id = 0;
	outer->frag_off = bpf_htons(IPV4_DONT_FRAG);
	outer->ttl = TUNNEL_TTL;
	outer->protocol = IPPROTO_IPIP;
	outer->check = 0;
	outer->saddr = source;
	outer->daddr = to->addr[0];
	outer->check = ipv4_checksum(outer);
}

static __always_inline void write_outer6(struct ipv6hdr *outer, const struct packet *pkt,
					 __u64 hash, const __be32 *source,
					 const struct backend *to)
{
	/* Version, traffic class, and the flow as label for routers that spread by it: RFC 6438. */
	*(__be32 *)outer = bpf_htonl(6u << 28 | (__u32)pkt->tos << 20 | (hash & 0xfffff));
	outer->payload_len = bpf_htons(pkt->ip_len);
	outer->nexthdr = IPPROTO_IPV6;
	outer->hop_limit = TUNNEL_TTL;
	__builtin_memcpy(&outer->saddr, source, sizeof(outer->saddr));
	__builtin_memcpy(&outer->daddr, to->addr, sizeof(outer->daddr));
}
