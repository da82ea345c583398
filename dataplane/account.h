/* SPDX-License-Identifier: GPL-2.0-only */
/* The interface's entry and books. */
#pragma once

#include "packet.h"
#include "maps/interface.h"

/* Where a packet is being walked, and what counts it. */
struct place {
	__u32 ifindex;
	__u32 role;  /* enum role */
	__u32 hooks; /* bit per enum hook: what else is attached to the interface */
	struct hook_count *count;
};

/* Finds the interface's entry and counts the packet in. Answers 0 where the maps are damaged. */
static __always_inline int enter(struct place *at, __u32 ifindex, enum hook hook,
				 struct packet *pkt)
{
	const struct iface *entry = bpf_map_lookup_elem(&ifaces, &ifindex);
	__u32 slot = hook;

	at->ifindex = ifindex;
	at->role = ROLE_BALANCER;
	at->hooks = 0;
	if (entry) {
		slot += entry->slot * HOOK_COUNT;
		at->role = entry->role;
		at->hooks = entry->hooks;
		pkt->fact[FACT_IFNAME_HI] = entry->name_hi;
		pkt->fact[FACT_IFNAME_LO] = entry->name_lo;
	}
	at->count = bpf_map_lookup_elem(&hook_counts, &slot);
	return at->count != NULL;
}

static __always_inline void count_traffic(struct traffic *traffic, const struct packet *pkt)
{
	traffic->packets++;
	traffic->bytes += pkt->frame_len;
}

static __always_inline void count_classes(struct hook_count *count, const struct packet *pkt)
{
	if (likely(!pkt->classes))
		return;
	for (int class = 0; class < CLASS_COUNT; class++)
		if (pkt->classes >> class & 1)
			count->seen[class]++;
}

/* Counts the packet out. Every packet that enter() counted in comes by here once. */
static __always_inline void count_outcome(struct hook_count *count, const struct packet *pkt,
					  struct outcome end)
{
	count_classes(count, pkt);
	if (end.verdict < VERDICT_COUNT)
		count_traffic(&count->verdict[end.verdict], pkt);
	if (end.verdict == VERDICT_DROP && end.reason < REASON_COUNT)
		count_traffic(&count->dropped[end.reason], pkt);
	if (end.reason == REASON_NEIGHBOUR_UNKNOWN)
		count->handed_over++;
}
