/* SPDX-License-Identifier: GPL-2.0-only */
/* One look-up per address or port answers for all named sets: a mask, bit N for set N. */
#pragma once

#include "packet.h"
#include "maps/firewall.h"
#include "maps/generation.h"

static __always_inline __u64 sets_of_addr4(__u32 table, __be32 addr)
{
	struct set4_key key = { .prefix_len = 32, .addr = addr };
	void *inner = bpf_map_lookup_elem(&set4_tables, &table);
	const struct set_mask *mask = inner ? bpf_map_lookup_elem(inner, &key) : NULL;

	return mask ? mask->sets : 0;
}

static __always_inline __u64 sets_of_addr6(__u32 table, const __be32 *addr)
{
	struct set6_key key = { .prefix_len = 128 };
	void *inner = bpf_map_lookup_elem(&set6_tables, &table);
	const struct set_mask *mask;

	__builtin_memcpy(key.addr, addr, sizeof(key.addr));
	mask = inner ? bpf_map_lookup_elem(inner, &key) : NULL;
	return mask ? mask->sets : 0;
}

static __always_inline __u64 sets_of_port(__u32 table, __u32 port)
{
	void *inner = bpf_map_lookup_elem(&set_port_tables, &table);
	const struct set_mask *mask = inner ? bpf_map_lookup_elem(inner, &port) : NULL;

	return mask ? mask->sets : 0;
}

static __always_inline __u64 sets_of_addr(const struct generation *gen, const struct packet *pkt,
					  const __be32 *addr)
{
	if (pkt->family == 4)
		return sets_of_addr4(gen->set4_table, addr[0]);
	if (pkt->family == 6)
		return sets_of_addr6(gen->set6_table, addr);
	return 0;
}

static __always_inline void find_sets(const struct generation *gen, struct packet *pkt)
{
	if (gen->set_uses & SET_USE_SADDR)
		pkt->fact[FACT_SADDR_SETS] = sets_of_addr(gen, pkt, pkt->src);
	if (gen->set_uses & SET_USE_DADDR)
		pkt->fact[FACT_DADDR_SETS] = sets_of_addr(gen, pkt, pkt->dst);
	if (gen->set_uses & SET_USE_SPORT)
		pkt->fact[FACT_SPORT_SETS] = sets_of_port(gen->set_port_table, pkt->fact[FACT_SPORT]);
	if (gen->set_uses & SET_USE_DPORT)
		pkt->fact[FACT_DPORT_SETS] = sets_of_port(gen->set_port_table, pkt->fact[FACT_DPORT]);
}
