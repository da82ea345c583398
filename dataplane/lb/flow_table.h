/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The flow table: lines of four entries, a cache line each. CPUs meet in it without a lock: who
 * writes an entry takes it first, by exchanging its fingerprint for FLOW_BUSY.
 */
#pragma once

#include "explain.h"
#include "lb/clock.h"
#include "maps/balancer.h"

/* Lines of established flows: a power of two, set before load. */
const volatile __u32 flow_lines = FLOWS_DEFAULT / FLOWS_A_LINE;

/* An established flow is on one of two lines, whichever had room; the others have one each. */
static __always_inline __u32 first_line(__u64 fingerprint)
{
	return fingerprint & (flow_lines - 1);
}

static __always_inline __u32 second_line(__u64 fingerprint)
{
	return fingerprint * 0x9e3779b97f4a7c15ULL >> 32 & (flow_lines - 1);
}

static __always_inline __u32 on_sight_line(__u64 fingerprint)
{
	return flow_lines + first_line(fingerprint);
}

static __always_inline __u32 half_open_line(__u64 fingerprint)
{
	return 2 * flow_lines + (fingerprint & (flow_lines / 4 - 1));
}

static __always_inline struct flow *find_on_line(__u32 index, __u64 fingerprint)
{
	struct flow_line *line = bpf_map_lookup_elem(&flows, &index);

	if (!line)
		return NULL;
#pragma unroll
	for (int i = 0; i < FLOWS_A_LINE; i++)
		if (*(volatile __u64 *)&line->flow[i].fingerprint == fingerprint)
			return &line->flow[i];
	return NULL;
}

/* Silence after which an entry is as good as empty, in ticks; by what is known of its flow. */
static __always_inline __u32 patience(__u32 stamp, __u32 idle)
{
	if (stamp & FLOW_CLOSED)
		return CLOSED_TICKS;
	return stamp & FLOW_UDP ? UDP_TICKS : idle;
}

/* Time from then to now. Another CPU, or the control tool, may have read the clock a little later: 0. */
static __always_inline __u32 passed(__u32 then, __u32 now)
{
	__s32 ticks = now - then;

	return ticks > 0 ? ticks : 0;
}

static __always_inline __u32 silence(__u32 stamp, __u32 now)
{
	return passed(stamp >> FLOW_STAMP_SHIFT, now);
}

/*
 * Writes an entry to the line: where one is empty or has been silent too long, or, if `evict`, in
 * place of the one that has been silent longest. Returns ENTERED, EVICTED (one that still lived is
 * gone; `evicted`: its backend), or NO_ROOM.
 */
enum entering { NO_ROOM, ENTERED, EVICTED };

static __always_inline enum entering enter_on_line(__u32 index, const struct flow *wanted,
						   __u32 now, __u32 idle, int evict,
						   __u32 *evicted)
{
	struct flow_line *line = bpf_map_lookup_elem(&flows, &index);
	struct flow *place = NULL;
	__u32 longest = 0;
	int lives = 1;
	__u64 there = 0;

	if (!line)
		return NO_ROOM;
#pragma unroll
	for (int i = 0; i < FLOWS_A_LINE; i++) {
		struct flow *each = &line->flow[i];
		__u64 who = *(volatile __u64 *)&each->fingerprint;
		__u32 quiet = silence(each->stamp, now);

		if (!lives)
			continue;
		if (!who || quiet > patience(each->stamp, idle)) {
			place = each;
			there = who;
			lives = 0;
		} else if (evict && quiet >= longest) {
			place = each;
			there = who;
			longest = quiet;
		}
	}
	if (!place)
		return NO_ROOM;
	/* Whoever was seen there must be there still: another CPU may have entered a flow meanwhile. */
	if (there == FLOW_BUSY ||
	    __sync_val_compare_and_swap(&place->fingerprint, there, FLOW_BUSY) != there)
		return NO_ROOM; /* another CPU takes it at this moment */
	if (lives)
		*evicted = place->backend;
	place->backend = wanted->backend;
	place->stamp = wanted->stamp;
	__sync_lock_test_and_set(&place->fingerprint, wanted->fingerprint);
	return lives ? EVICTED : ENTERED;
}
