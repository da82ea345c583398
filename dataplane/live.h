/* SPDX-License-Identifier: GPL-2.0-only */
/* The configuration in force. A packet looks it up once, at its start, and keeps to it. */
#pragma once

#include "packet.h"
#include "maps/capture.h"
#include "maps/generation.h"

static __always_inline struct control *control_word(void)
{
	__u32 only = 0;

	return bpf_map_lookup_elem(&control, &only);
}

static __always_inline __u32 live_word(const struct control *word)
{
	return *(const volatile __u32 *)&word->live;
}

static __always_inline const struct generation *generation_at(const struct control *word, __u32 slot)
{
	return slot < GENERATION_SLOTS ? &word->generation[slot] : NULL;
}

/* NULL: none was published, or the capture switch is on; walk_aside() tells which. */
static __always_inline const struct generation *live_generation(void)
{
	const struct control *word = control_word();

	return likely(word) ? generation_at(word, live_word(word)) : NULL;
}

static __always_inline int capture_is_on(void)
{
	const struct control *word = control_word();

	return word && (live_word(word) & CAPTURE_ON);
}

/* The live generation for a packet that found none because of the capture switch. */
static __always_inline const struct generation *switched_generation(void)
{
	const struct control *word = control_word();

	return word ? generation_at(word, live_word(word) & ~CAPTURE_ON) : NULL;
}
