/* SPDX-License-Identifier: GPL-2.0-only */
/* What every hook does with a packet around its own judge(): count it in, look up the configuration,
 * count it out. */
#pragma once

#include "account.h"
#include "capture.h"
#include "finish.h"
#include "live.h"

/*
 * The stages of this hook, in the hook's own file. `captured` is a constant: which of two copies of
 * the stages the packet takes.
 */
static __always_inline struct outcome judge(frame *ctx, const struct generation *gen,
					    struct place *at, __u32 frame_len,
					    struct packet *pkt, int captured);

/*
 * A packet that finds no generation at once: none was published, or the capture switch is on. A
 * function, so that it takes no register from the packets that find one.
 */
static __noinline __u64 walk_aside(frame *ctx, __u32 hook, struct packet *pkt)
{
	struct outcome end = outcome(VERDICT_PASS, REASON_NO_GENERATION);
	__u32 interface = frame_interface(ctx);
	const struct generation *gen;
	struct place at;
	int captured;

	if (!capture_is_on() || !enter(&at, interface, hook))
		return pack(end);
	gen = switched_generation();
	captured = capture_begin(ctx, interface, hook, gen);
	if (gen)
		end = settle(judge(ctx, gen, &at, frame_length(ctx), pkt, 1));
	if (captured)
		capture_end(ctx, pack(end), hook_action(end.verdict));
	return pack(end);
}

/* `at` was entered. */
static __always_inline int walk(frame *ctx, struct place *at, enum hook hook)
{
	__u32 frame_len = frame_length(ctx);
	const struct generation *gen;
	struct packet pkt;

	count_traffic(&at->count->received, frame_len);
	gen = live_generation();
	if (likely(gen))
		return finish(at, frame_len, judge(ctx, gen, at, frame_len, &pkt, 0));
	return finish(at, frame_len, unpack(walk_aside(ctx, hook, &pkt)));
}
