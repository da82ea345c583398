/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Frames that are longer than the link takes, and no error: before generic XDP the kernel merges
 * segments of TCP (GRO), or a sender on this machine leaves the cutting to a device. XDP cannot tell such a
 * frame from one that is too long; TC can, and sends it as the segments that it stands for.
 */
#pragma once

#include "lb/track.h"
#include "lb/way.h"

/* Each segment needs an outer header of its own, so TC writes it: lb/segments_tc.h. */
STAGE tunnel_segments(struct xdp_md *ctx, const struct choice *choice, __u32 how, __u32 ifindex)
{
	struct handover *record;

	if (!choice || !(how & LB_TC_BESIDE))
		return pack(drop(REASON_TOO_BIG));
	record = new_handover(ctx);
	if (!record)
		return pack(drop(REASON_TOO_BIG));
	record->ifindex = ifindex;
	record->work = HANDOVER_TUNNEL_SEGMENTS;
	record->tunnel.hash = choice->hash;
	record->tunnel.backend = choice->backend;
	return pack(outcome(VERDICT_PASS, REASON_TOO_BIG));
}
