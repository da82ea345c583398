/* SPDX-License-Identifier: GPL-2.0-only */
/* Stage 3: packets to a VIP go to a backend; all others to the kernel stack. */
#pragma once

#include "capture.h"
#include "lb/choose.h"
#include "lb/echo.h"
#include "lb/tunnel.h"

static __always_inline void hand_over(struct xdp_md *ctx, const struct bpf_fib_lookup *hop)
{
	struct handover *record = new_handover(ctx);

	if (!record)
		return;
	record->ifindex = hop->ifindex;
	record->family = hop->family;
	/* An IPv4 next hop stands in the first word. */
	__builtin_memcpy(record->nexthop, hop->ipv6_dst, sizeof(record->nexthop));
}

/* The frame is written: it leaves, or the kernel resolves its neighbour and sends it. */
static __always_inline struct outcome depart(struct xdp_md *ctx, const nexthop *hop,
					     struct outcome route)
{
	if (route.verdict == VERDICT_PASS) {
		hand_over(ctx, hop);
		return route;
	}
	if (hop->ifindex == ctx->ingress_ifindex)
		return outcome(VERDICT_SEND, REASON_SERVICE);
	bpf_redirect(hop->ifindex, 0);
	return outcome(VERDICT_REDIRECT, REASON_SERVICE);
}

/* The routing table, which knows the MTU, is not asked for a gateway: ask the interface. */
static __always_inline struct outcome find_hop(struct xdp_md *ctx, const struct generation *gen,
					       const struct packet *pkt, const struct backend *to,
					       __u32 outer_len, nexthop *hop)
{
	__u32 mtu = pkt->ip_len; /* in: of the IP packet alone, all buffers; out: the interface's */

	if (!gen->has_gateway)
		return by_route(ctx, pkt, to, pkt->ip_len + outer_len, hop);
	if (bpf_check_mtu(ctx, 0, &mtu, outer_len, 0) == BPF_MTU_CHK_RET_FRAG_NEEDED)
		return drop(REASON_TOO_BIG);
	return to_gateway(ctx, gen, hop);
}

static __always_inline int link_addresses(struct xdp_md *ctx, const nexthop *hop,
					  struct outcome route, struct macs *macs)
{
	if (route.verdict == VERDICT_PASS)
		return keep_addresses(ctx, macs);
	copy_mac(macs->to, hop->dmac);
	copy_mac(macs->from, hop->smac);
	return 0;
}

static __always_inline struct outcome tunnel_to(struct xdp_md *ctx, const struct generation *gen,
						const struct packet *pkt, __u64 hash,
						const struct backend *to)
{
	__u32 outer_len = to->family == 4 ? IPV4_MIN_LEN : IPV6_LEN;
	struct outcome route;
	nexthop hop = {};
	struct macs macs;
	int keep_tags;
	void *outer;

	if (!(gen->has_source & (to->family == 4 ? 1 : 2)))
		return drop(REASON_NO_SOURCE);
	if (pkt->ip_len + outer_len > 0xffff)
		return drop(REASON_TOO_BIG);
	outer_source(gen, to->family, hash, hop.ipv6_src);
	route = find_hop(ctx, gen, pkt, to, outer_len, &hop);
	if (route.verdict == VERDICT_DROP)
		return route;
	if (link_addresses(ctx, &hop, route, &macs))
		return drop(REASON_SPLIT_HEADERS);

	/* A packet that the kernel sends gets its link-layer header there. */
	keep_tags = route.verdict != VERDICT_PASS && hop.ifindex == ctx->ingress_ifindex;
	if (to->family == 4) {
		outer = rewrite_l2(ctx, pkt, &macs, IPV4_MIN_LEN, keep_tags, bpf_htons(ETH_P_IP));
		if (!outer || outer + IPV4_MIN_LEN > frame_end(ctx))
			return drop(REASON_NO_HEADROOM);
		write_outer4(outer, pkt, hop.ipv4_src, to);
	} else {
		outer = rewrite_l2(ctx, pkt, &macs, IPV6_LEN, keep_tags, bpf_htons(ETH_P_IPV6));
		if (!outer || outer + IPV6_LEN > frame_end(ctx))
			return drop(REASON_NO_HEADROOM);
		write_outer6(outer, pkt, hash, hop.ipv6_src, to);
	}
	return depart(ctx, &hop, route);
}

static __always_inline struct outcome switch_to(struct xdp_md *ctx, const struct packet *pkt,
						const struct backend *to)
{
	struct outcome route;
	nexthop hop = {};
	struct macs macs;
	int keep_tags;

	write_address(hop.ipv6_src, pkt, pkt->saddr_hi, pkt->saddr_lo);
	route = by_route(ctx, pkt, to, pkt->ip_len, &hop);
	if (route.verdict == VERDICT_DROP)
		return route;
	if (!is_on_link(&hop, to))
		return drop(REASON_NOT_ON_LINK);
	if (link_addresses(ctx, &hop, route, &macs))
		return drop(REASON_SPLIT_HEADERS);
	keep_tags = route.verdict != VERDICT_PASS && hop.ifindex == ctx->ingress_ifindex;
	if (!rewrite_l2(ctx, pkt, &macs, 0, keep_tags, ether_type(is_ipv4(pkt) ? 4 : 6)))
		return drop(REASON_NO_HEADROOM);
	return depart(ctx, &hop, route);
}

STAGE forward_tunnel(struct xdp_md *ctx, const struct generation *gen, const struct packet *pkt,
		     const struct choice *choice)
{
	const struct backend *to = gen && choice ? backend_at(gen, choice->backend) : NULL;

	return pack(to && pkt && choice ? tunnel_to(ctx, gen, pkt, choice->hash, to)
					: drop(REASON_NO_BACKEND));
}

STAGE forward_l2_dsr(struct xdp_md *ctx, const struct generation *gen, const struct packet *pkt,
		     __u32 index)
{
	const struct backend *to = gen ? backend_at(gen, index) : NULL;

	return pack(to && pkt ? switch_to(ctx, pkt, to) : drop(REASON_NO_BACKEND));
}

static __always_inline void count_service(const struct choice *choice, const struct packet *pkt,
					  struct outcome end)
{
	struct service_count *count = bpf_map_lookup_elem(&service_counts, &choice->service);
	struct backend_count *to;

	if (!count)
		return;
	count->packets++;
	count->bytes += pkt->frame_len;
	count->flows += choice->new_flow;
	if (end.verdict == VERDICT_DROP) {
		count->dropped++;
		return;
	}
	to = bpf_map_lookup_elem(&backend_counts, &choice->backend);
	if (to) {
		to->packets++;
		to->bytes += pkt->frame_len;
		to->flows += choice->new_flow;
	}
}

static __always_inline struct outcome find(struct xdp_md *ctx, const struct generation *gen,
					   struct packet *pkt, struct choice *choice)
{
	const struct service *service;

	choice->service = NO_SERVICE;
	choice->new_flow = choice->by_ring = 0;
	if (unlikely(has_class(pkt, CLASS_FRAGMENT)))
		return is_vip(gen, pkt) ? drop(REASON_VIP_FRAGMENT) : next_stage();
	if (pkt->transport == IPPROTO_TCP || pkt->transport == IPPROTO_UDP) {
		service = find_service(gen, pkt);
		if (service)
			choose_backend(gen, service, pkt, choice);
		return next_stage();
	}
	if (is_echo_request(pkt) && is_vip(gen, pkt))
		return answer_echo(ctx, pkt);
	return next_stage();
}

/* Whose packet is it? With NEXT_STAGE, `choice` says. */
STAGE find_backend(struct xdp_md *ctx, const struct generation *gen, struct packet *pkt,
		   struct choice *choice)
{
	return gen && pkt && choice ? pack(find(ctx, gen, pkt, choice)) : 0;
}

/*
 * Answers NEXT_STAGE for a packet that is for no service: the stack has it. `captured`: a constant,
 * see judge().
 */
static __always_inline struct outcome load_balance(struct xdp_md *ctx,
						   const struct generation *gen,
						   struct packet *pkt, int captured)
{
	struct choice choice;
	struct outcome end = unpack(find_backend(ctx, gen, pkt, &choice));

	if (end.verdict != NEXT_STAGE || choice.service == NO_SERVICE)
		return end;
	if (captured)
		capture_backend(choice.service, choice.backend, choice.by_ring, choice.new_flow);
	if (choice.backend == NO_BACKEND)
		end = drop(REASON_NO_BACKEND);
	else if (choice.forward == FORWARD_L2_DSR)
		end = unpack(forward_l2_dsr(ctx, gen, pkt, choice.backend));
	else
		end = unpack(forward_tunnel(ctx, gen, pkt, &choice));
	count_service(&choice, pkt, end);
	return end;
}
