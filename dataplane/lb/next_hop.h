/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where a packet for a backend leaves this node: a fixed gateway, or what the kernel's tables of
 * routes and neighbours say. Each CPU keeps their answer beside the backend's counters for a tick of
 * jiffies, so that a change is followed within a third of a second at any HZ.
 */
#pragma once

#include "account.h"
#include "explain.h"
#include "handover_xdp.h"
#include "maps/balancer.h"
#include "parse/transport.h"

/* What a packet's way through the balancer depends on besides the packet. */
enum lb_how {
	LB_CAPTURED = 1 << 0,
	LB_TC_BESIDE = 1 << 1, /* TC ingress of this interface sends what the kernel is to send */
};

#define HOP_TICK_SHIFT 5
#define CONFIRM_TICKS  2

/* In pieces that are aligned wherever the address stands. */
static __always_inline void copy_mac(void *to, const void *from)
{
	((__u16 *)to)[0] = ((const __u16 *)from)[0];
	((__u16 *)to)[1] = ((const __u16 *)from)[1];
	((__u16 *)to)[2] = ((const __u16 *)from)[2];
}

static __always_inline __u32 hop_tick(void)
{
	return (__u32)(bpf_jiffies64() >> HOP_TICK_SHIFT) | 1U << 31;
}

/* An address as the headers have it; IPv4 in the first word. */
static __always_inline void write_address(__be32 *to, const struct packet *pkt, __u64 hi, __u64 lo)
{
	if (is_ipv4(pkt)) {
		to[0] = bpf_htonl(lo);
		to[1] = to[2] = to[3] = 0;
		return;
	}
	to[0] = bpf_htonl(hi >> 32);
	to[1] = bpf_htonl(hi);
	to[2] = bpf_htonl(lo >> 32);
	to[3] = bpf_htonl(lo);
}

/* `ip_len`: bytes that are to go there; 0: any number. NULL: the map is damaged. */
static __always_inline struct bpf_fib_lookup *ask_route(struct xdp_md *ctx, const struct backend *to,
							__u16 ip_len, long *answer)
{
	__u32 only = 0;
	struct bpf_fib_lookup *route = bpf_map_lookup_elem(&route_questions, &only);

	if (!route)
		return NULL;
	*route = (struct bpf_fib_lookup){ .ifindex = frame_interface(ctx), .tot_len = ip_len };
	if (to->family == 4) {
		route->family = AF_INET;
		route->ipv4_dst = to->addr[0];
	} else {
		route->family = AF_INET6;
		__builtin_memcpy(route->ipv6_dst, to->addr, sizeof(route->ipv6_dst));
	}
	*answer = bpf_fib_lookup(ctx, route, sizeof(*route), 0);
	return route;
}
_Static_assert(sizeof(struct bpf_fib_lookup) == sizeof(struct route_question), "room for it");

/*
 * The kernel is to send a packet, whose frame is as it shall leave. Without room for the record the packet
 * goes to the stack without it.
 */
STAGE hand_over(struct xdp_md *ctx, const struct backend *to, __u32 why)
{
	struct outcome passed = outcome(VERDICT_PASS, why);
	struct bpf_fib_lookup *route;
	struct handover *record;
	long answer;

	if (!to)
		return 0;
	/* What is known to be too long goes in segments, or not at all: TC sees which. */
	route = ask_route(ctx, to, why == REASON_TOO_BIG ? 0 : frame_length(ctx) - ETH_HLEN, &answer);
	if (!route)
		return pack(drop(REASON_NO_ROUTE));
	if (answer == BPF_FIB_LKUP_RET_FRAG_NEEDED)
		return pack(drop(REASON_TOO_BIG));
	record = new_handover(ctx);
	if (!record)
		return pack(passed);
	record->ifindex = route->ifindex;
	record->family = route->family;
	record->work = why == REASON_TOO_BIG ? HANDOVER_SEND_SEGMENTS : HANDOVER_SEND;
	/* An IPv4 next hop stands in the first word. */
	__builtin_memcpy(record->nexthop, route->ipv6_dst, sizeof(record->nexthop));
	return pack(passed);
}

static __always_inline int is_on_link(const struct bpf_fib_lookup *route, const struct backend *to)
{
	if (to->family == 4)
		return route->ipv4_dst == to->addr[0];
	return route->ipv6_dst[0] == to->addr[0] && route->ipv6_dst[1] == to->addr[1] &&
	       route->ipv6_dst[2] == to->addr[2] && route->ipv6_dst[3] == to->addr[3];
}

static __always_inline int can_send(const struct xdp_md *ctx, __u32 ifindex)
{
	return ifindex == frame_interface(ctx) || bpf_map_lookup_elem(&transmitters, &ifindex);
}

/* The kernel's answer into `hop`. VERDICT_PASS: this packet is the kernel's to send. */
static __always_inline struct outcome refresh(struct xdp_md *ctx, const struct backend *to,
					      struct next_hop *hop, __u32 how)
{
	__u32 now = bpf_ktime_get_coarse_ns() >> FLOW_TICK_SHIFT;
	long answer = BPF_FIB_LKUP_RET_UNREACHABLE;
	const struct bpf_fib_lookup *route = ask_route(ctx, to, 0, &answer);

	hop->tick = 0;
	hop->mtu = 0xffff; /* unless it becomes known: hand_over() asks */
	if (!route)
		return drop(REASON_NO_ROUTE);
	switch (answer) {
	case BPF_FIB_LKUP_RET_SUCCESS:
		break;
	case BPF_FIB_LKUP_RET_NO_NEIGH:
		return outcome(VERDICT_PASS, REASON_NEIGHBOUR_UNKNOWN);
	case BPF_FIB_LKUP_RET_FWD_DISABLED:
		return drop(REASON_FORWARDING_OFF);
	default: /* no route, or one that refuses; and to the node itself: the answer is the same */
		return drop(REASON_NO_ROUTE);
	}
	if (!can_send(ctx, route->ifindex))
		return how & LB_TC_BESIDE ? outcome(VERDICT_PASS, REASON_NO_XDP_SEND)
					  : drop(REASON_NO_XDP_SEND);
	hop->from = frame_interface(ctx);
	hop->ifindex = route->ifindex;
	hop->mtu = route->mtu_result;
	hop->on_link = is_on_link(route, to);
	copy_mac(hop->to, route->dmac);
	copy_mac(hop->by, route->smac);
	hop->tick = hop_tick();
	/* Nothing but a packet of its own makes the kernel look whether a stale neighbour is there. */
	if (explaining || !(how & LB_TC_BESIDE) || now - hop->confirmed < CONFIRM_TICKS)
		return next_stage();
	hop->confirmed = now;
	return outcome(VERDICT_PASS, REASON_NEIGHBOUR_UNKNOWN);
}

STAGE refresh_hop(struct xdp_md *ctx, const struct backend *to, struct next_hop *hop, __u32 how)
{
	return to && hop ? pack(refresh(ctx, to, hop, how)) : pack(drop(REASON_NO_BACKEND));
}

static __always_inline struct outcome by_route(struct xdp_md *ctx, const struct backend *to,
					       struct next_hop *hop, __u32 how)
{
	if (likely(hop->tick == hop_tick() && hop->from == frame_interface(ctx)))
		return next_stage();
	return unpack(refresh_hop(ctx, to, hop, how));
}
