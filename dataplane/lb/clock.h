/* SPDX-License-Identifier: GPL-2.0-only */
/* Time, as coarse as the balancer needs it. */
#pragma once

#include "bpf.h"
#include "maps/balancer.h"

#define CLOCK_TICK_SHIFT 5

/* 32 jiffies, a third of a second at most at any HZ: their number, in the upper half of the word. */
static __always_inline __u64 clock_tick(void)
{
	return bpf_jiffies64() >> CLOCK_TICK_SHIFT << 32;
}

/* The clock as it was last read: clock_tick() | ticks of the flow table. */
static volatile __u64 clock_read;

/*
 * CLOCK_MONOTONIC in ticks of the flow table. Asking the kernel costs 56 instructions, so all CPUs do so
 * once in 32 jiffies: what this returns is that much old at most.
 */
static __always_inline __u32 flow_ticks(void)
{
	__u64 tick = clock_tick(), read = clock_read;

	if (unlikely((read >> 32) != (tick >> 32))) {
		read = tick | (__u32)(bpf_ktime_get_coarse_ns() >> FLOW_TICK_SHIFT);
		clock_read = read;
	}
	return read;
}
