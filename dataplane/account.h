/* SPDX-License-Identifier: GPL-2.0-only */
/* The interface's entry, and what is counted for it. */
#pragma once

#include "packet.h"
#include "maps/generation.h"
#include "maps/interface.h"

/* Where a packet is, and what counts it. */
struct place {
	__u32 ifindex;
	__u32 chain; /* enum fw_chain: whose rules judge the packet */
	const struct iface *entry;
	struct hook_count *count;
};

static __always_inline const struct iface *iface_at(__u32 place)
{
	return &ifaces[place % IFACE_PLACES];
}

/* An interface that has no entry: a balancer, counted in slot 0, with nothing else attached. */
static __always_inline const struct iface *no_iface(void)
{
	return &ifaces[IFACE_PLACES];
}

/* The entry is not at its own place, which is taken by another one. */
static __noinline const struct iface *find_iface_further(__u32 ifindex)
{
	for (__u32 i = 1; i < IFACES_MAX; i++) {
		const struct iface *entry = iface_at(ifindex + i);

		if (entry->ifindex == ifindex)
			return entry;
		if (!entry->ifindex)
			break;
	}
	return no_iface();
}

static __always_inline const struct iface *find_iface(__u32 ifindex)
{
	const struct iface *entry = iface_at(ifindex);

	if (likely(entry->ifindex == ifindex))
		return entry;
	return entry->ifindex ? find_iface_further(ifindex) : no_iface();
}

static __always_inline struct place place_of(__u32 ifindex, enum fw_chain chain,
					     const struct iface *entry,
					     struct hook_count *count)
{
	struct place at = {
		.ifindex = ifindex,
		.chain = chain,
		.entry = entry,
		.count = count,
	};

	return at;
}

/* Finds the interface's entry and counters. Returns 0 if the maps are damaged. */
static __always_inline int enter(struct place *at, __u32 ifindex, enum hook hook)
{
	const struct iface *entry = find_iface(ifindex);
	__u32 row = entry->slot * HOOK_COUNT + hook;

	*at = place_of(ifindex, hook == HOOK_TC_EGRESS ? CHAIN_EGRESS : CHAIN_INGRESS, entry,
		       bpf_map_lookup_elem(&hook_counts, &row));
	return at->count != NULL;
}

static __always_inline void count_traffic(struct traffic *traffic, __u64 frame_len)
{
	traffic->packets++;
	traffic->bytes += frame_len;
}

static __always_inline void count_classes(struct hook_count *count, __u32 classes)
{
	if (likely(!classes))
		return;
	for (int class = 0; class < CLASS_COUNT; class++)
		if (classes >> class & 1)
			count->seen[class]++;
}

/* Counts the packet out. Every packet that was counted in comes by here once. */
static __always_inline void count_outcome(struct hook_count *count, __u64 frame_len,
					  struct outcome end)
{
	count_traffic(&count->verdict[end.verdict & VERDICT_MASK], frame_len);
	if (end.verdict == VERDICT_DROP && end.reason < REASON_COUNT)
		count_traffic(&count->dropped[end.reason], frame_len);
}
