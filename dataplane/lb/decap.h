/* SPDX-License-Identifier: GPL-2.0-only */
/* Role `decap`: a backend takes the outer header off without a tunnel device. */
#pragma once

#include "packet.h"
#include "lb/l2.h"
#include "parse/parse.h"

/* A fragment holds no whole inner packet: it stays in its header, for the stack to reassemble. */
static __always_inline int is_tunnelled(const struct packet *pkt)
{
	return (pkt->transport == IPPROTO_IPIP || pkt->transport == IPPROTO_IPV6) &&
	       !has_class(pkt, CLASS_FRAGMENT);
}

static __always_inline struct outcome remove_header(struct xdp_md *ctx, const struct packet *pkt)
{
	__be16 type = ether_type(pkt->transport == IPPROTO_IPIP);
	int outer_len = pkt->l4_offset - pkt->l3_offset;
	struct macs here;

	if (read_macs(ctx, &here) || !rewrite_l2(ctx, pkt->l3_offset, &here, -outer_len, 1, type))
		return drop(REASON_TRUNCATED);
	return next_stage();
}

/*
 * What arrived in a tunnel is judged as what it is: the outer header is removed and the inner packet
 * takes its place. It is counted with the length that was received.
 */
static __noinline __u64 decapsulate(struct xdp_md *ctx, struct packet *pkt)
{
	__u32 received_len = pkt->frame_len, classes = pkt->classes;
	struct outcome now = remove_header(ctx, pkt);

	if (now.verdict != NEXT_STAGE)
		return pack(now);
	now = parse_generally(ctx, frame_length(ctx), pkt);
	pkt->frame_len = received_len;
	pkt->classes |= classes;
	return pack(now);
}
