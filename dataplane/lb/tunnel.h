/* SPDX-License-Identifier: GPL-2.0-only */
/* Outer headers: IP in IP (RFC 2003), IPv6 in IPv6 (RFC 2473). The inner packet stays untouched. */
#pragma once

#include "packet.h"
#include "maps/balancer.h"
#include "maps/flow_hash.h"
#include "maps/generation.h"
#include "parse/ipv4.h"
#include "parse/ipv6.h"

#define TUNNEL_TTL 64 /* IANA's recommended default */

static __always_inline __u32 fold(__u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

/*
 * Written as whole words. The source is a configured address, or a prefix whose host bits come from
 * the flow. `same`: RFC 1071 sum of the words that are always the same, as a backend has it. Never to be
 * fragmented, so that the identification may be 0: RFC 6864, 4.1.
 */
static __always_inline void write_outer4(__be32 *outer, const struct generation *gen,
					 __u8 tos, __u32 ip_len, __u64 hash,
					 __u32 same, __be32 to)
{
	__be32 source = gen->source4 | ((__u32)hash & gen->source4_host);
	__be32 first = bpf_htonl(0x45000000 | (__u32)tos << 16 | (IPV4_MIN_LEN + ip_len));
	__u32 sum = same + (first & 0xffff) + (first >> 16) + (source & 0xffff) + (source >> 16);

	outer[0] = first;
	outer[1] = bpf_htonl(IPV4_DONT_FRAG);
	outer[2] = bpf_htonl(TUNNEL_TTL << 24 | IPPROTO_IPIP << 16) |
		   (__u32)(__u16)~fold(sum) << 16;
	outer[3] = source;
	outer[4] = to;
}

static __always_inline void write_outer6(__be32 *outer, const struct generation *gen,
					 __u8 tos, __u32 ip_len, __u64 hash,
					 const __be32 *to)
{
	/* Version, traffic class, and the flow as label for routers that spread by it: RFC 6438. */
	outer[0] = bpf_htonl(6u << 28 | (__u32)tos << 20 | (hash & 0xfffff));
	outer[1] = bpf_htonl(ip_len << 16 | IPPROTO_IPV6 << 8 | TUNNEL_TTL);
	__builtin_memcpy(outer + 2, gen->source6, sizeof(gen->source6));
	if (gen->has_source & SOURCE6_OF_FLOW) {
		__u64 more = hash * 0x9e3779b97f4a7c15ULL; /* no two flows share it, either */

		outer[2] |= (__u32)more & gen->source6_host[0];
		outer[3] |= more >> 32 & gen->source6_host[1];
		outer[4] |= hash >> 32 & gen->source6_host[2];
		outer[5] |= (__u32)hash & gen->source6_host[3];
	}
	__builtin_memcpy(outer + 6, to, 4 * sizeof(*to));
}
