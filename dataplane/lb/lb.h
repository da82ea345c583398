/* SPDX-License-Identifier: GPL-2.0-only */
/* Stage 3: packets to a VIP go to a backend; all others to the kernel stack. */
#pragma once

#include "capture.h"
#include "lb/at_rest.h"
#include "lb/choose.h"
#include "lb/echo.h"
#include "lb/l2.h"
#include "lb/segments_xdp.h"
#include "lb/service.h"
#include "lb/tunnel.h"

#define IP_LEN_MAX 0xffff /* what an outer header can say */

/* A fixed gateway: back out of the interface, whose MTU this CPU keeps for a tick. */
static __always_inline struct outcome by_gateway(struct xdp_md *ctx, struct hook_count *count)
{
	__u32 mtu = 0;

	if (likely(count->mtu_tick == hop_tick()))
		return next_stage();
	if (bpf_check_mtu(ctx, 0, &mtu, 0, 0) < 0)
		return drop(REASON_NO_ROUTE);
	count->mtu = mtu < IP_LEN_MAX ? mtu : IP_LEN_MAX;
	count->mtu_tick = hop_tick();
	return next_stage();
}

static __always_inline struct outcome depart_by(struct xdp_md *ctx, const struct generation *gen,
						struct hook_count *count, const struct backend *to,
						struct backend_count *local, int gateway,
						__u32 how, struct departure *out)
{
	struct outcome way = gateway ? by_gateway(ctx, count) : by_route(ctx, to, &local->hop, how);

	if (way.verdict == VERDICT_DROP)
		return way;
	if (read_macs(ctx, &out->macs))
		return drop(REASON_SPLIT_HEADERS);
	out->ifindex = frame_interface(ctx);
	if (gateway) {
		out->mtu = count->mtu;
		copy_mac(out->macs.by, out->macs.to); /* the address that the frame was sent to */
		copy_mac(out->macs.to, gen->gateway);
		return way;
	}
	if (unlikely(way.verdict == VERDICT_PASS)) { /* the frame keeps its addresses, to be taken in */
		out->mtu = local->hop.mtu;
		return way;
	}
	out->mtu = local->hop.mtu;
	out->ifindex = local->hop.ifindex;
	copy_mac(out->macs.to, local->hop.to);
	copy_mac(out->macs.by, local->hop.by);
	return way;
}

static __always_inline struct outcome leave(struct xdp_md *ctx, const struct backend *to,
					    struct outcome way, __u32 ifindex)
{
	if (unlikely(way.verdict == VERDICT_PASS))
		return unpack(hand_over(ctx, to, way.reason));
	return send_by(ctx, ifindex);
}

static __always_inline struct outcome tunnel_to(struct xdp_md *ctx, const struct generation *gen,
						struct hook_count *count, const struct packet *pkt,
						const struct choice *choice,
						const struct backend *to,
						struct backend_count *local, __u32 how)
{
	int ipv4 = to->family == 4, keep_tags;
	__u32 outer_len = ipv4 ? IPV4_MIN_LEN : IPV6_LEN;
	struct departure out;
	struct outcome way;
	void *outer;

	if (!(gen->has_source & (ipv4 ? HAS_SOURCE4 : HAS_SOURCE6)))
		return drop(REASON_NO_SOURCE);
	way = depart_by(ctx, gen, count, to, local, gen->has_gateway, how, &out);
	if (way.verdict == VERDICT_DROP)
		return way;
	if (unlikely(pkt->ip_len + outer_len > out.mtu))
		return unpack(tunnel_segments(ctx, choice, how, out.ifindex));
	keep_tags = way.verdict == NEXT_STAGE && out.ifindex == frame_interface(ctx);
	outer = rewrite_l2(ctx, pkt->l3_offset, &out.macs, outer_len, keep_tags, ether_type(ipv4));
	if (!outer || outer + outer_len > frame_end(ctx))
		return drop(REASON_NO_HEADROOM);
	if (ipv4)
		write_outer4(outer, gen, pkt->tos, pkt->ip_len, choice->hash, to);
	else
		write_outer6(outer, gen, pkt->tos, pkt->ip_len, choice->hash, to);
	return leave(ctx, to, way, out.ifindex);
}

static __always_inline struct outcome switch_to(struct xdp_md *ctx, const struct generation *gen,
						struct hook_count *count, const struct packet *pkt,
						const struct backend *to,
						struct backend_count *local, __u32 how)
{
	struct departure out;
	struct outcome way = depart_by(ctx, gen, count, to, local, 0, how, &out);
	int keep_tags = way.verdict == NEXT_STAGE && out.ifindex == frame_interface(ctx);

	if (way.verdict == VERDICT_DROP)
		return way;
	if (way.verdict == NEXT_STAGE && !local->hop.on_link)
		return drop(REASON_NOT_ON_LINK);
	if (unlikely(pkt->ip_len > out.mtu))
		return how & LB_TC_BESIDE ? unpack(hand_over(ctx, to, REASON_TOO_BIG))
					  : drop(REASON_TOO_BIG);
	if (!rewrite_l2(ctx, pkt->l3_offset, &out.macs, 0, keep_tags, ether_type(is_ipv4(pkt))))
		return drop(REASON_NO_HEADROOM);
	return leave(ctx, to, way, out.ifindex);
}

static __always_inline void count_service(const struct choice *choice, const struct packet *pkt,
					  struct outcome end)
{
	struct service_count *count = bpf_map_lookup_elem(&service_counts, &choice->service);

	if (!count)
		return;
	count->packets++;
	count->bytes += pkt->frame_len;
	count->dropped += end.verdict == VERDICT_DROP;
	count->connections += choice->connects;
}

static __always_inline struct outcome forward(struct xdp_md *ctx, const struct generation *gen,
					      struct hook_count *count, const struct packet *pkt,
					      const struct choice *choice, __u32 how)
{
	struct backend_count *local;
	const struct backend *to;
	struct outcome end;
	__u32 index = choice->backend;

	if (unlikely(index == BUCKET_NONE))
		return drop(REASON_NO_BACKEND);
	to = backend_at(gen, index);
	local = bpf_map_lookup_elem(&backend_counts, &index);
	if (!to || !local)
		return drop(REASON_NO_BACKEND);
	end = choice->forward == FORWARD_L2_DSR
		      ? switch_to(ctx, gen, count, pkt, to, local, how)
		      : tunnel_to(ctx, gen, count, pkt, choice, to, local, how);
	if (end.verdict == VERDICT_DROP)
		return end;
	local->packets++;
	local->bytes += pkt->frame_len;
	local->connections += choice->connects;
	return end;
}

/* What is to a VIP, and to no service of it. */
static __always_inline struct outcome at_vip(struct xdp_md *ctx, const struct generation *gen,
					     const struct packet *pkt)
{
	if (has_class(pkt, CLASS_FRAGMENT))
		return is_vip(gen, pkt) ? drop(REASON_VIP_FRAGMENT) : next_stage();
	return is_echo_request(pkt) && is_vip(gen, pkt) ? answer_echo(ctx, pkt) : next_stage();
}

STAGE answer_for_vip(struct xdp_md *ctx, const struct generation *gen, const struct packet *pkt)
{
	return gen && pkt ? pack(at_vip(ctx, gen, pkt)) : 0;
}

static __always_inline struct outcome balance(struct xdp_md *ctx, const struct generation *gen,
					      struct hook_count *count, const struct packet *pkt,
					      __u32 how)
{
	const struct service *service;
	struct choice choice;
	struct outcome end;

	if (unlikely((pkt->transport != IPPROTO_TCP && pkt->transport != IPPROTO_UDP) ||
		     has_class(pkt, CLASS_FRAGMENT)))
		return unpack(answer_for_vip(ctx, gen, pkt));
	service = find_service(gen, pkt);
	if (!service)
		return next_stage();
	choose_backend(ctx, gen, service, pkt, &choice);
	if (unlikely(how & LB_CAPTURED))
		capture_backend(choice.service,
				choice.backend == BUCKET_NONE ? NO_TABLE : choice.backend,
				!choice.tracked, choice.begins);
	end = forward(ctx, gen, count, pkt, &choice, how);
	count_service(&choice, pkt, end);
	count->handed_over += end.verdict == VERDICT_PASS;
	return end;
}

/* `how`: enum lb_how. Returns NEXT_STAGE for a packet that is for no service: the stack has it. */
STAGE load_balance(struct xdp_md *ctx, const struct generation *gen, struct hook_count *count,
		   const struct packet *pkt, __u32 how)
{
	return gen && count && pkt ? pack(balance(ctx, gen, count, pkt, how)) : 0;
}
