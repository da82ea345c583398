/* SPDX-License-Identifier: GPL-2.0-only */
/* One look-up per address or port answers for all named sets: a mask, bit N for set N. */
#pragma once

#include "packet.h"
#include "maps/firewall.h"
#include "maps/generation.h"

#define RARE_SETS (RARE_SADDR_SETS | RARE_DADDR_SETS | RARE_SPORT_SETS | RARE_DPORT_SETS)

static __always_inline __u64 sets_of_addr4(__u32 table, __u64 addr)
{
	struct set4_key key = { .prefix_len = 32, .addr = bpf_htonl(addr) };
	void *inner = bpf_map_lookup_elem(&set4_tables, &table);
	const struct set_mask *mask = inner ? bpf_map_lookup_elem(inner, &key) : NULL;

	return mask ? mask->sets : 0;
}

static __always_inline __u64 sets_of_addr6(__u32 table, __u64 hi, __u64 lo)
{
	struct set6_key key = { .prefix_len = 128,
				.addr = { bpf_htonl(hi >> 32), bpf_htonl(hi),
					  bpf_htonl(lo >> 32), bpf_htonl(lo) } };
	void *inner = bpf_map_lookup_elem(&set6_tables, &table);
	const struct set_mask *mask = inner ? bpf_map_lookup_elem(inner, &key) : NULL;

	return mask ? mask->sets : 0;
}

static __always_inline __u64 sets_of_port(__u32 table, __u32 port)
{
	void *inner = bpf_map_lookup_elem(&set_port_tables, &table);
	const struct set_mask *mask = inner ? bpf_map_lookup_elem(inner, &port) : NULL;

	return mask ? mask->sets : 0;
}

static __always_inline __u64 sets_of_addr(const struct generation *gen, const struct packet *pkt,
					  __u64 hi, __u64 lo)
{
	if (is_ipv4(pkt))
		return sets_of_addr4(gen->set4_table, lo);
	if (is_ipv6(pkt))
		return sets_of_addr6(gen->set6_table, hi, lo);
	return 0;
}

static __always_inline void find_sets(const struct generation *gen, struct facts *facts)
{
	const struct packet *pkt = &facts->packet;
	__u32 wanted = gen->rare_facts;

	if (wanted & RARE_SADDR_SETS)
		facts->saddr_sets = sets_of_addr(gen, pkt, pkt->saddr_hi, pkt->saddr_lo);
	if (wanted & RARE_DADDR_SETS)
		facts->daddr_sets = sets_of_addr(gen, pkt, pkt->daddr_hi, pkt->daddr_lo);
	if (wanted & RARE_SPORT_SETS)
		facts->sport_sets = sets_of_port(gen->set_port_table, pkt->sport);
	if (wanted & RARE_DPORT_SETS)
		facts->dport_sets = sets_of_port(gen->set_port_table, pkt->dport);
}
