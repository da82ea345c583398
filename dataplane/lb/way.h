/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The way to a backend: by a fixed gateway, or as the kernel's tables of routes and neighbours say.
 * Each CPU keeps it beside the backend's counters, for one generation and one tick of jiffies: a changed route
 * or neighbour is followed within a third of a second at any HZ, a changed configuration at once.
 */
#pragma once

#include "account.h"
#include "explain.h"
#include "handover_xdp.h"
#include "lb/clock.h"
#include "maps/balancer.h"
#include "maps/generation.h"
#include "parse/ipv4.h"
#include "parse/ipv6.h"
#include "parse/transport.h"

/* What a packet's way through the balancer depends on besides the packet. */
enum lb_how {
	LB_CAPTURED = 1 << 0,
	LB_TC_BESIDE = 1 << 1, /* TC ingress of this interface sends what the kernel is to send */
	LB_SWITCHES = 1 << 2, /* the service's forward mode is FORWARD_L2_DSR */
};

#define CONFIRM_TICKS  2
#define WAY_MTU_MAX    0xffff /* what an outer header can say */

/* Word by word: clang copies what may stand anywhere byte by byte. */
static __always_inline void copy_mac(void *to, const void *from)
{
	*(__u32 *)to = *(const __u32 *)from;
	*(__u16 *)(to + 4) = *(const __u16 *)(from + 4);
}

/* What `valid` is of a way that holds now. */
static __always_inline __u64 way_valid(const struct generation *gen)
{
	return clock_tick() | *(const __u32 *)&gen->number; /* its lower half */
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

static __always_inline struct outcome refresh_by_gateway(struct xdp_md *ctx,
							 const struct generation *gen,
							 struct way *way, __u32 outer_len)
{
	__u32 mtu = 0;

	if (bpf_check_mtu(ctx, 0, &mtu, 0, 0) < 0)
		return drop(REASON_NO_ROUTE);
	way->ifindex = frame_interface(ctx);
	way->mtu = (mtu < WAY_MTU_MAX ? mtu : WAY_MTU_MAX) - outer_len;
	way->flags = WAY_BY_GATEWAY;
	copy_mac(way->to, gen->gateway);
	return next_stage();
}

/* VERDICT_PASS: this packet is the kernel's to send, by way->ifindex. */
static __always_inline struct outcome refresh_by_route(struct xdp_md *ctx, const struct backend *to,
						       struct way *way, __u32 outer_len, __u32 how)
{
	long answer = BPF_FIB_LKUP_RET_UNREACHABLE;
	const struct bpf_fib_lookup *route = ask_route(ctx, to, 0, &answer);
	__u32 mtu;

	if (!route)
		return drop(REASON_NO_ROUTE);
	if (answer == BPF_FIB_LKUP_RET_FWD_DISABLED)
		return drop(REASON_FORWARDING_OFF);
	/* No route, or one that refuses; and to the node itself: the answer is the same. */
	if (answer != BPF_FIB_LKUP_RET_SUCCESS && answer != BPF_FIB_LKUP_RET_NO_NEIGH)
		return drop(REASON_NO_ROUTE);
	way->ifindex = route->ifindex;
	way->flags = 0;
	if (how & LB_SWITCHES && !is_on_link(route, to)) {
		way->form = WAY_OFF_LINK;
		return next_stage();
	}
	if (answer == BPF_FIB_LKUP_RET_NO_NEIGH)
		return outcome(VERDICT_PASS, REASON_NEIGHBOUR_UNKNOWN);
	mtu = route->mtu_result;
	way->mtu = mtu > outer_len ? mtu - outer_len : 0;
	if (!can_send(ctx, route->ifindex))
		return how & LB_TC_BESIDE ? outcome(VERDICT_PASS, REASON_NO_XDP_SEND)
					  : drop(REASON_NO_XDP_SEND);
	copy_mac(way->to, route->dmac);
	copy_mac(way->by, route->smac);
	return next_stage();
}

/* Nothing but a packet of its own makes the kernel look whether a stale neighbour is there. */
static __always_inline int confirms(struct backend_count *local, const struct way *way, __u32 how)
{
	__u32 now = flow_ticks();

	if (explaining || !(how & LB_TC_BESIDE) || way->flags & WAY_BY_GATEWAY ||
	    way->form == WAY_OFF_LINK ||
	    now - local->confirmed < CONFIRM_TICKS)
		return 0;
	local->confirmed = now;
	return 1;
}

static __always_inline struct outcome refresh(struct xdp_md *ctx, const struct generation *gen,
					      const struct backend *to, struct backend_count *local,
					      struct way *way, __u32 how)
{
	int ipv4 = to->family == 4, tunnel = !(how & LB_SWITCHES);
	__u32 outer_len = !tunnel ? 0 : ipv4 ? IPV4_MIN_LEN : IPV6_LEN;
	struct outcome end;

	way->valid = 0;
	way->from = frame_interface(ctx);
	way->mtu = WAY_MTU_MAX - outer_len; /* unless it becomes known: hand_over() asks */
	if (tunnel && !(gen->has_source & (ipv4 ? HAS_SOURCE4 : HAS_SOURCE6)))
		return drop(REASON_NO_SOURCE);
	way->form = !tunnel ? WAY_SWITCH : ipv4 ? WAY_TUNNEL4 : WAY_TUNNEL6;
	end = tunnel && gen->has_gateway ? refresh_by_gateway(ctx, gen, way, outer_len)
					 : refresh_by_route(ctx, to, way, outer_len, how);
	if (end.verdict != NEXT_STAGE)
		return end;
	local->sum = to->sum;
	__builtin_memcpy(local->addr, to->addr, sizeof(local->addr));
	way->valid = way_valid(gen);
	return confirms(local, way, how) ? outcome(VERDICT_PASS, REASON_NEIGHBOUR_UNKNOWN) : end;
}

static __always_inline int is_way_known(const struct generation *gen, const struct way *way, __u32 from)
{
	return way->valid == way_valid(gen) && way->from == from;
}

/* Of packets that arrive at this interface. A way for another, or an old one, may stand there. */
static __always_inline struct way *way_from(struct backend_count *local, __u32 from)
{
	return likely(local->first.from == from) ? &local->first : &local->second;
}

/* The first way is worked out anew, or the second while the first is another interface's. */
STAGE refresh_way(struct xdp_md *ctx, const struct generation *gen, const struct backend *to,
		  struct backend_count *local, __u32 how)
{
	struct way *way;

	if (!gen || !to || !local)
		return pack(drop(REASON_NO_BACKEND));
	way = &local->first;
	if (way->valid == way_valid(gen) && way->from != frame_interface(ctx))
		way = &local->second;
	return pack(refresh(ctx, gen, to, local, way, how));
}
