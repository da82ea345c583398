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
					    struct place *at, __u64 frame_len,
					    struct packet *pkt, int captured);

/*
 * The capture switch is on. A function, so that it takes no register from the packets that do not meet
 * it.
 */
static __noinline __u64 walk_captured(frame *ctx, __u32 hook, const struct iface *entry,
				      struct hook_count *count, struct packet *pkt)
{
	struct outcome end = outcome(VERDICT_PASS, REASON_NO_GENERATION);
	const struct generation *gen = generation_at(live_word() & ~CAPTURE_ON);
	int captured = capture_begin(ctx, frame_interface(ctx), hook, gen);
	struct place at = place_of(frame_interface(ctx), hook, entry, count);

	if (gen)
		end = settle(judge(ctx, gen, &at, frame_length(ctx), pkt, 1));
	if (captured)
		capture_end(ctx, pack(end), hook_action(end.verdict));
	return pack(end);
}

/* `at` was entered. */
static __always_inline int walk(frame *ctx, struct place *at, enum hook hook)
{
	struct outcome end = outcome(VERDICT_PASS, REASON_NO_GENERATION);
	__u64 frame_len = frame_length(ctx);
	__u32 live = live_word();
	const struct generation *gen = generation_at(live);
	struct packet pkt;

	count_traffic(&at->count->received, frame_len);
	if (likely(gen))
		end = judge(ctx, gen, at, frame_len, &pkt, 0);
	else if (live & CAPTURE_ON)
		end = unpack(walk_captured(ctx, hook, at->entry, at->count, &pkt));
	return finish(at, frame_len, end);
}
