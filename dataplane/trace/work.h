/* SPDX-License-Identifier: GPL-2.0-only */
/* Books and benches: what a probe works with while it is at work. */
#pragma once

#include "maps/trace.h"

static __always_inline struct trace_desk *trace_desk(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&trace_desks, &zero);
}

/* NULL: none is free, which is counted. `bench` says which it is. */
static __always_inline struct trace_work *trace_take_bench(__u32 *bench)
{
	struct trace_desk *desk = trace_desk();

	if (!desk)
		return NULL;
	for (__u32 i = 0; i < TRACE_BENCHES; i++) {
		if (!(__sync_fetch_and_or(&desk->taken, 1U << i) & (1U << i))) {
			*bench = i;
			return bpf_map_lookup_elem(&trace_benches, bench);
		}
	}
	__sync_fetch_and_add(&desk->nested, 1);
	return NULL;
}

static __always_inline void trace_leave_bench(__u32 bench)
{
	struct trace_desk *desk = trace_desk();

	if (desk)
		__sync_fetch_and_and(&desk->taken, ~(1U << bench));
}
