/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The capture switch's side of the walk: only packets that meet the switch come here. See
 * docs/adr/0016-the-capture-switch.md.
 */
#pragma once

#include "capture_bench.h"
#include "explain.h"
#include "live.h"
#include "maps/firewall.h"
#include "maps/generation.h"

/* Whoever captured is gone. Unless a generation was published meanwhile: then the next packet does. */
static __always_inline void capture_expire(void)
{
	__u32 seen = live_word();

	if (seen & CAPTURE_ON)
		__sync_val_compare_and_swap(&control.live, seen, seen & ~CAPTURE_ON);
}

_Static_assert(CAPTURE_NO_RULE == FW_NO_SLOT, "one number for no rule");
_Static_assert(CAPTURE_NO_SERVICE == NO_TABLE, "one number for no service");

/* Copies from the frame's start; answers how many octets. */
static __always_inline __u32 capture_copy(frame *ctx, __u8 *to, __u32 octets)
{
	octets--; /* the helper wants 1 at least; 6.1 learns no bound from a comparison with 0 */
	asm volatile("" : "+r"(octets));
	if (octets >= CAPTURE_SNAP)
		return 0;
	octets++;
	return frame_load(ctx, 0, to, octets) ? 0 : octets;
}

/*
 * A packet that meets the switch; answers 1 if it is asked for. A function, and the next one too, so
 * that its stack is free again while the stages run.
 */
static __noinline int capture_begin(frame *ctx, __u32 ifindex, __u32 hook,
				    const struct generation *gen)
{
	__u32 only = 0, length = frame_length(ctx);
	const struct capture_settings *wish;
	struct capture_bench *bench;
	__u64 now;

	if (explaining)
		return 0;
	wish = bpf_map_lookup_elem(&capture_settings, &only);
	if (!wish)
		return 0;
	now = bpf_ktime_get_ns();
	if (now > *(const volatile __u64 *)&wish->until) {
		capture_expire();
		return 0;
	}
	if ((wish->ifindex && wish->ifindex != ifindex) || !(wish->hooks >> (hook & 31) & 1))
		return 0;
	bench = capture_bench();
	if (!bench)
		return 0;
	if (bench->busy) { /* a test run, interrupted by the packet at hand */
		bench->lost++;
		return 0;
	}
	*(volatile __u64 *)&bench->busy = 1;
	bench->record = (struct capture_record){
		.entered = now,
		.id = (__u64)bpf_get_smp_processor_id() << 48 | ++bench->sequence,
		.generation = gen ? gen->number : 0,
		.ifindex = ifindex,
		.hook = hook,
		.rule = CAPTURE_NO_RULE,
		.service = CAPTURE_NO_SERVICE,
		.entry_len = length,
		.entry_vlan = frame_tag(ctx),
	};
	if (wish->points & CAPTURE_ENTRY)
		bench->record.entry_captured = capture_copy(
			ctx, bench->octets, length < wish->snap ? length : wish->snap);
	return 1;
}

static __always_inline void capture_rule(__u32 slot)
{
	struct capture_bench *bench = capture_bench();

	if (bench)
		bench->record.rule = slot;
}

static __always_inline void capture_backend(__u32 service, __u32 backend, __u16 by_ring,
					    __u16 new_flow)
{
	struct capture_bench *bench = capture_bench();

	if (!bench)
		return;
	bench->record.service = service;
	bench->record.backend = backend;
	bench->record.by_ring = by_ring;
	bench->record.new_flow = new_flow;
}

/* The packet's end is known: the frame is as the program leaves it. */
static __noinline int capture_end(frame *ctx, __u64 packed, __u32 action)
{
	__u32 only = 0, length = frame_length(ctx), at;
	const struct capture_settings *wish = bpf_map_lookup_elem(&capture_settings, &only);
	struct capture_bench *bench = capture_bench();
	struct outcome end = unpack(packed);

	if (!bench)
		return 0;
	at = bench->record.entry_captured;
	if (wish && capture_wanted(wish, end.verdict, bench->record.rule)) {
		bench->record.left = bpf_ktime_get_ns();
		bench->record.verdict = end.verdict;
		bench->record.reason = end.reason;
		bench->record.action = action;
		bench->record.exit_len = length;
		bench->record.exit_vlan = frame_tag(ctx);
		asm volatile("" : "+r"(at));
		if ((wish->points & CAPTURE_EXIT) && at <= CAPTURE_SNAP)
			bench->record.exit_captured = capture_copy(
				ctx, bench->octets + at, length < wish->snap ? length : wish->snap);
		capture_put(bench);
	}
	*(volatile __u64 *)&bench->busy = 0;
	return 0;
}
