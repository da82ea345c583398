/* SPDX-License-Identifier: GPL-2.0-only */
/* What every hook does with a packet: count it in, look up the configuration, read it, judge it, count
 * it out. */
#pragma once

#include "account.h"
#include "capture.h"
#include "finish.h"
#include "firewall/firewall.h"
#include "firewall/short_list.h"
#include "live.h"
#include "parse/parse.h"

/*
 * Of the hook, in its own file. `captured` is a constant: which of two copies of the stages the
 * packet takes.
 */

/* From frame to facts; parse_generally(), and whatever of the frame is to be removed at first. */
static __always_inline struct outcome read(frame *ctx, struct place *at, __u64 frame_len,
					   struct packet *pkt);
/* 1: packets that the rules accept are not the stack's at once. */
static __always_inline int has_more_stages(const struct generation *gen, const struct place *at);

/* Those stages, of a packet that the rules accepted as `accepted` says. */
static __always_inline struct outcome go_on(frame *ctx, const struct generation *gen,
					    struct place *at, struct packet *pkt,
					    struct outcome accepted, int captured);

/* Returns 1, and sets `end`, if the hook's own fast lane finished a common packet that the rules accepted. */
static __always_inline int take_short_way(frame *ctx, const struct generation *gen, struct place *at,
					  const struct common *seen, struct outcome *end);

static __always_inline struct outcome judge(frame *ctx, const struct generation *gen, struct place *at,
					    struct packet *pkt, int captured)
{
	struct outcome end = firewall(ctx, gen, at, pkt, captured);

	if (end.verdict != NEXT_STAGE || !has_more_stages(gen, at))
		return end;
	return go_on(ctx, gen, at, pkt, end, captured);
}

/* A packet of the fast lane. Its facts are filled in for those who ask for them. */
static __always_inline struct outcome judge_common(frame *ctx, const struct generation *gen,
						   struct place *at, const struct common *seen,
						   struct packet *pkt)
{
	__u32 root = root_of(gen, at, seen->kind);
	struct outcome end = policy(root);

	if (!is_policy(root)) {
		__u32 list = gen->list[at->chain][seen->kind];

		if (likely(list)) {
			end = judge_by_list(ctx, gen, list, seen);
		} else {
			fill_in(ctx, seen, pkt);
			end = firewall(ctx, gen, at, pkt, 0);
		}
	}
	if (end.verdict != NEXT_STAGE || !has_more_stages(gen, at) ||
	    take_short_way(ctx, gen, at, seen, &end))
		return end;
	fill_in(ctx, seen, pkt);
	return go_on(ctx, gen, at, pkt, next_stage(), 0);
}

/* A packet that is captured: by the general lane, and which rule decides is noted. */
static __always_inline __u64 judge_noting(frame *ctx, const struct generation *gen, struct place at,
					  struct packet *pkt)
{
	struct outcome end = read(ctx, &at, frame_length(ctx), pkt);

	return pack(end.verdict == NEXT_STAGE ? judge(ctx, gen, &at, pkt, 1) : end);
}

/* Functions, so that they take no register and no stack from other packets. */
static __noinline __u64 judge_captured(frame *ctx, const struct generation *gen,
				       const struct iface *entry, struct hook_count *count,
				       struct packet *pkt)
{
	return judge_noting(ctx, gen, place_of(frame_interface(ctx), CHAIN_INGRESS, entry, count),
			    pkt);
}

static __noinline __u64 judge_captured_egress(frame *ctx, const struct generation *gen,
					      const struct iface *entry, struct hook_count *count,
					      struct packet *pkt)
{
	return judge_noting(ctx, gen, place_of(frame_interface(ctx), CHAIN_EGRESS, entry, count),
			    pkt);
}

/* The capture switch is on. */
static __always_inline struct outcome walk_captured(frame *ctx, struct place *at, enum hook hook,
						    struct packet *pkt, enum lanes lanes)
{
	const struct generation *gen = generation_at(live_word() & ~CAPTURE_ON);
	int captured = capture_begin(ctx, frame_interface(ctx), hook, gen);
	struct outcome end = outcome(VERDICT_PASS, REASON_NO_GENERATION);

	if (gen)
		end = settle(unpack(hook == HOOK_TC_EGRESS
					    ? judge_captured_egress(ctx, gen, at->entry, at->count, pkt)
					    : judge_captured(ctx, gen, at->entry, at->count, pkt)),
			     lanes);
	if (captured)
		capture_end(ctx, pack(end), hook_action(end.verdict));
	return end;
}

/* `at` was entered. */
static __always_inline int walk(frame *ctx, struct place *at, enum hook hook, enum lanes lanes)
{
	struct outcome end = outcome(VERDICT_PASS, REASON_NO_GENERATION);
	__u64 live = live_word();
	const struct generation *gen = generation_at(live);
	struct common seen;
	struct packet pkt;
	__u64 frame_len;

	if (unlikely(!gen)) {
		frame_len = frame_length(ctx);
		count_traffic(&at->count->received, frame_len);
		if ((__u32)live & CAPTURE_ON)
			end = walk_captured(ctx, at, hook, &pkt, lanes);
		goto out;
	}
	if (takes_fast_lane(ctx, lanes, &seen)) {
		frame_len = seen.frame_len;
		count_traffic(&at->count->received, frame_len);
		end = judge_common(ctx, gen, at, &seen, &pkt);
		goto out;
	}
	frame_len = frame_length(ctx);
	count_traffic(&at->count->received, frame_len);
	end = read(ctx, at, frame_len, &pkt);
	if (end.verdict == NEXT_STAGE)
		end = judge(ctx, gen, at, &pkt, 0);
out:
	return finish(at, frame_len, end, lanes);
}
