/* SPDX-License-Identifier: GPL-2.0-only */
/* The configuration in force. A packet looks it up once, at its start, and keeps to it. */
#pragma once

#include "packet.h"
#include "maps/capture.h"
#include "maps/generation.h"

/* Slot of the live generation, NO_GENERATION, or with CAPTURE_ON any of these. */
static __always_inline __u64 live_word(void)
{
	return *(const volatile __u32 *)&control.live;
}

/* NULL: there is none in the slot. */
static __always_inline const struct generation *generation_at(__u64 slot)
{
	if (slot >= GENERATION_SLOTS)
		return NULL;
	barrier_var(slot); /* the verifier wants the comparison before the address is worked out */
	return &control.generation[slot];
}
