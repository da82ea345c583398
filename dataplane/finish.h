/* SPDX-License-Identifier: GPL-2.0-only */
/* The only place that turns an outcome into XDP_* or TC_ACT_* and counts it. */
#pragma once

#include "account.h"
#include "explain.h"

/* The last stage left it to the stack. */
static __always_inline struct outcome settle(struct outcome end)
{
	if (end.verdict == NEXT_STAGE)
		end.verdict = VERDICT_PASS;
	explain_end(end);
	return end;
}

static __always_inline int xdp_action(__u32 verdict)
{
	switch (verdict) {
	case VERDICT_PASS:
		return XDP_PASS;
	case VERDICT_SEND:
		return XDP_TX;
	case VERDICT_REDIRECT:
		return XDP_REDIRECT;
	default:
		return XDP_DROP;
	}
}

/* TC_ACT_UNSPEC is TCX_NEXT: accepted here, further programs on the hook are asked. */
static __always_inline int tc_action(__u32 verdict)
{
	switch (verdict) {
	case VERDICT_PASS:
		return TC_ACT_UNSPEC;
	case VERDICT_REDIRECT:
		return TC_ACT_REDIRECT;
	default:
		return TC_ACT_SHOT;
	}
}

static __always_inline int finish_xdp(struct place *at, const struct packet *pkt,
				      struct outcome end)
{
	end = settle(end);
	count_outcome(at->count, pkt, end);
	return xdp_action(end.verdict);
}

static __always_inline int finish_tc(struct place *at, const struct packet *pkt,
				     struct outcome end)
{
	end = settle(end);
	count_outcome(at->count, pkt, end);
	return tc_action(end.verdict);
}
