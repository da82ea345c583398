/* SPDX-License-Identifier: GPL-2.0-only */
/* The only place that turns an outcome into XDP_* or TC_ACT_* and counts it. */
#pragma once

#include "account.h"
#include "explain.h"

/* The last stage left it to the stack. */
static __always_inline struct outcome settle(struct outcome end, enum lanes lanes)
{
	end.verdict &= VERDICT_MASK;
	if (lanes == LANE_GENERAL)
		explain_end(end);
	return end;
}
_Static_assert((NEXT_STAGE & VERDICT_MASK) == VERDICT_PASS, "without a branch");

static __always_inline int finish(struct place *at, __u64 frame_len, struct outcome end,
				  enum lanes lanes)
{
	end = settle(end, lanes);
	count_outcome(at->count, frame_len, end);
	return hook_action(end.verdict);
}
