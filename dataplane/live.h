/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

#include "packet.h"
#include "maps/capture.h"
#include "maps/generation.h"

/* The configuration in force; NULL until one was published. A packet asks once, at its start. */
static __always_inline const struct generation *live_generation(void)
{
	__u32 only = 0;
	const struct control *word = bpf_map_lookup_elem(&control, &only);
	__u32 slot;

	if (!word)
		return NULL;
	slot = *(const volatile __u32 *)&word->live;
	return bpf_map_lookup_elem(&generations, &slot);
}

static __always_inline int capture_is_on(void)
{
	__u32 only = 0;
	const struct control *word = bpf_map_lookup_elem(&control, &only);

	return word && (*(const volatile __u32 *)&word->live & CAPTURE_ON);
}

/* The same for a packet that found none because of the capture switch. */
static __always_inline const struct generation *switched_generation(void)
{
	__u32 only = 0;
	const struct control *word = bpf_map_lookup_elem(&control, &only);
	__u32 slot;

	if (!word)
		return NULL;
	slot = *(const volatile __u32 *)&word->live & ~CAPTURE_ON;
	return bpf_map_lookup_elem(&generations, &slot);
}
