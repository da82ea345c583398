/* SPDX-License-Identifier: GPL-2.0-only */
/* Role `decap`: a backend takes the outer header off without a tunnel device. */
#pragma once

#include "packet.h"
#include "lb/l2.h"

/* A fragment holds no whole inner packet: it stays in its header, for the stack to reassemble. */
static __always_inline int is_tunnelled(const struct packet *pkt)
{
	return (pkt->proto == IPPROTO_IPIP || pkt->proto == IPPROTO_IPV6) &&
	       !has_class(pkt, CLASS_FRAGMENT);
}

static __always_inline struct outcome remove_header(struct xdp_md *ctx, const struct packet *pkt)
{
	__be16 type = ether_type(pkt->proto == IPPROTO_IPIP ? 4 : 6);
	int outer_len = pkt->l4_offset - pkt->l3_offset;
	nexthop here = {};

	if (keep_addresses(ctx, &here) || !rewrite_l2(ctx, pkt, &here, -outer_len, 1, type))
		return drop(REASON_TRUNCATED);
	return next_stage();
}

/* Removes everything between the link-layer header and the inner packet. */
STAGE remove_outer(struct xdp_md *ctx, const struct packet *pkt)
{
	return pkt ? pack(remove_header(ctx, pkt)) : 0;
}
