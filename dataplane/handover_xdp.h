/* SPDX-License-Identifier: GPL-2.0-only */
/* The side of a hand-over that writes the record. */
#pragma once

#include "handover.h"

/* Without room for a record (some drivers have none) there is none: TC judges the packet again. */
static __always_inline struct handover *new_handover(struct xdp_md *ctx)
{
	struct handover *record;

	if (bpf_xdp_adjust_meta(ctx, -(int)sizeof(*record)))
		return NULL;
	record = frame_meta(ctx);
	if ((void *)(record + 1) > frame_start(ctx))
		return NULL;
	*record = (struct handover){ .magic = HANDOVER_MAGIC, .judged_on = frame_interface(ctx) };
	return record;
}

/* For a packet that the stack has, where TC ingress sees it next. A function: most are not for it. */
static __noinline int tell_tc(struct xdp_md *ctx)
{
	if (!handover_of(ctx, frame_interface(ctx)))
		new_handover(ctx);
	return XDP_PASS;
}
