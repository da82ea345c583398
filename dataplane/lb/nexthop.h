/* SPDX-License-Identifier: GPL-2.0-only */
/* Where a packet for a backend leaves this node: a fixed gateway, or what the routing table says. */
#pragma once

#include "packet.h"
#include "handover_xdp.h"
#include "maps/balancer.h"
#include "maps/generation.h"

/* What the routing table answers is what is needed of a next hop: interface and MAC addresses. */
typedef struct bpf_fib_lookup nexthop;

/* In pieces that are aligned wherever the address stands. */
static __always_inline void copy_mac(void *to, const void *from)
{
	((__u16 *)to)[0] = ((const __u16 *)from)[0];
	((__u16 *)to)[1] = ((const __u16 *)from)[1];
	((__u16 *)to)[2] = ((const __u16 *)from)[2];
}

/* A fixed gateway: back out of the interface, from the address that the frame was sent to. */
static __always_inline struct outcome to_gateway(struct xdp_md *ctx, const struct generation *gen,
						 nexthop *hop)
{
	const struct ethhdr *eth = frame_start(ctx);

	if ((void *)(eth + 1) > frame_end(ctx))
		return drop(REASON_SPLIT_HEADERS);
	hop->ifindex = ctx->ingress_ifindex;
	copy_mac(hop->smac, eth->h_dest);
	copy_mac(hop->dmac, gen->gateway);
	return next_stage();
}

static __always_inline struct outcome fib_outcome(long answer)
{
	switch (answer) {
	case BPF_FIB_LKUP_RET_SUCCESS:
		return next_stage();
	case BPF_FIB_LKUP_RET_NO_NEIGH:
		return outcome(VERDICT_PASS, REASON_NEIGHBOUR_UNKNOWN);
	case BPF_FIB_LKUP_RET_FRAG_NEEDED:
		return drop(REASON_TOO_BIG);
	case BPF_FIB_LKUP_RET_FWD_DISABLED:
		return drop(REASON_FORWARDING_OFF);
	default: /* no route, or one that refuses; and to the node itself: the answer is the same */
		return drop(REASON_NO_ROUTE);
	}
}

/* Asks the routing table for a packet of `len` octets to the backend; hop->ipv6_src holds from where. */
static __always_inline struct outcome by_route(struct xdp_md *ctx, const struct packet *pkt,
					       const struct backend *to, __u32 len, nexthop *hop)
{
	hop->tot_len = len > 0xffff ? 0xffff : len;
	hop->ifindex = ctx->ingress_ifindex;
	if (to->family == 4) {
		hop->family = AF_INET;
		hop->tos = pkt->tos;
		hop->ipv4_dst = to->addr[0];
	} else {
		hop->family = AF_INET6;
		__builtin_memcpy(hop->ipv6_dst, to->addr, sizeof(hop->ipv6_dst));
	}
	return fib_outcome(bpf_fib_lookup(ctx, hop, sizeof(*hop), 0));
}

/* After by_route(): is the backend itself the next hop, or a router? */
static __always_inline int is_on_link(const nexthop *hop, const struct backend *to)
{
	if (to->family == 4)
		return hop->ipv4_dst == to->addr[0];
	return hop->ipv6_dst[0] == to->addr[0] && hop->ipv6_dst[1] == to->addr[1] &&
	       hop->ipv6_dst[2] == to->addr[2] && hop->ipv6_dst[3] == to->addr[3];
}
