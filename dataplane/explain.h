/* SPDX-License-Identifier: GPL-2.0-only */
/* Notes for `weir explain`; in the instances that see traffic dead code, which the verifier removes. */
#pragma once

#include "packet.h"
#include "maps/explanation.h"
#include "maps/firewall.h"
#include "maps/generation.h"

/* Set before load in the second instance, the one that `weir explain` runs. */
const volatile __u8 explaining = 0;

/*
 * A constant in each program. Those that see traffic take both lanes and ask nowhere on the fast one whether
 * they explain; those that `weir explain` and tests run, named _general, take the general lane alone.
 */
enum lanes {
	LANES_BOTH,
	LANE_GENERAL,
};

static __always_inline struct explanation *explanation(void)
{
	__u32 only = 0;

	return bpf_map_lookup_elem(&explanations, &only);
}

static __always_inline void explain_rule(__u32 slot)
{
	struct explanation *note;

	if (explaining && (note = explanation()))
		note->rule = slot;
}

static __always_inline void explain_backend(__u32 service, __u32 backend, int from_flow)
{
	struct explanation *note;

	if (explaining && (note = explanation())) {
		note->service = service;
		note->backend = backend;
		note->flow = from_flow;
	}
}

static __always_inline void explain_end(struct outcome end)
{
	struct explanation *note;

	if (explaining && (note = explanation())) {
		note->verdict = end.verdict;
		note->reason = end.reason;
	}
}
