/* SPDX-License-Identifier: GPL-2.0-only */
/* Books and benches: what a probe works with while it is at work. */
#pragma once

#include "maps/trace.h"

static __always_inline struct trace_books *trace_books_here(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&trace_accounts, &zero);
}

/* NULL: none is free. `bench` says which it is. */
static __always_inline struct trace_work *trace_take_bench(__u32 *bench)
{
	__u32 zero = 0;
	__u32 *taken = bpf_map_lookup_elem(&trace_taken, &zero);

	if (!taken)
		return NULL;
	for (__u32 i = 0; i < TRACE_BENCHES; i++) {
		if (!(__sync_fetch_and_or(taken, 1U << i) & (1U << i))) {
			*bench = i;
			return bpf_map_lookup_elem(&trace_benches, bench);
		}
	}
	return NULL;
}

static __always_inline void trace_leave_bench(__u32 bench)
{
	__u32 zero = 0;
	__u32 *taken = bpf_map_lookup_elem(&trace_taken, &zero);

	if (taken)
		__sync_fetch_and_and(taken, ~(1U << bench));
}
