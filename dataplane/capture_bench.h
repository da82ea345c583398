/* SPDX-License-Identifier: GPL-2.0-only */
/* From a CPU's bench into the ring: the same for Weir's programs and for other people's. */
#pragma once

#include "bpf.h"
#include "maps/capture.h"

static __always_inline struct capture_bench *capture_bench(void)
{
	__u32 only = 0;

	return bpf_map_lookup_elem(&capture_benches, &only);
}

static __always_inline int capture_wanted(const struct capture_settings *wish, __u32 outcome,
					  __u32 rule)
{
	return (wish->verdicts >> (outcome & 31) & 1) &&
	       (wish->rule == CAPTURE_NO_RULE || wish->rule == rule);
}

/* Into the ring: the record and as many octets as were copied. */
static __always_inline void capture_put(struct capture_bench *bench)
{
	__u32 only = 0, octets = bench->record.entry_captured + bench->record.exit_captured;
	void *ring = bpf_map_lookup_elem(&capture_rings, &only);

	if (!ring)
		return;
	asm volatile("" : "+r"(octets));
	if (octets > 2 * CAPTURE_SNAP)
		octets = 2 * CAPTURE_SNAP;
	if (bpf_ringbuf_output(ring, &bench->record, sizeof(bench->record) + octets, 0))
		bench->lost++;
	else
		bench->taken++;
}
