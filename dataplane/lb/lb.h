/* SPDX-License-Identifier: GPL-2.0-only */
/* Stage 3: packets to a VIP go to a backend; all others to the kernel stack. */
#pragma once

#include "capture.h"
#include "lb/choose.h"
#include "lb/common.h"
#include "lb/echo.h"
#include "lb/l2.h"
#include "lb/segments_xdp.h"
#include "lb/service.h"
#include "lb/tunnel.h"

/* The addresses with which a packet leaves. VERDICT_PASS: it is the kernel's to send, and keeps its own. */
static __always_inline struct outcome depart(struct xdp_md *ctx, const struct generation *gen,
					     const struct backend *to, struct backend_count *local,
					     __u32 how, const struct way **out, struct macs *macs)
{
	struct outcome end = next_stage();
	const struct way *way = way_from(local, frame_interface(ctx));

	if (unlikely(!is_way_known(gen, way, frame_interface(ctx)))) {
		end = unpack(refresh_way(ctx, gen, to, local, how));
		if (end.verdict == VERDICT_DROP)
			return end;
		way = way_from(local, frame_interface(ctx));
	}
	*out = way;
	if (read_macs(ctx, macs))
		return drop(REASON_SPLIT_HEADERS);
	if (unlikely(end.verdict == VERDICT_PASS))
		return end;
	copy_mac(macs->by, way->flags & WAY_BY_GATEWAY ? macs->to : way->by);
	copy_mac(macs->to, way->to);
	return end;
}

/* The frame leaves by the interface that it came from, on a link where its tags have a meaning. */
static __always_inline int keeps_tags(const struct xdp_md *ctx, struct outcome end, const struct way *way)
{
	return end.verdict == NEXT_STAGE && way->ifindex == frame_interface(ctx);
}

static __always_inline struct outcome leave(struct xdp_md *ctx, const struct backend *to,
					    struct outcome way, __u32 ifindex)
{
	if (unlikely(way.verdict == VERDICT_PASS))
		return unpack(hand_over(ctx, to, way.reason));
	return send_by(ctx, ifindex);
}

static __always_inline struct outcome tunnel_to(struct xdp_md *ctx, const struct generation *gen,
						const struct packet *pkt,
						const struct choice *choice,
						const struct backend *to,
						struct backend_count *local, __u32 how)
{
	int ipv4 = to->family == 4;
	__u32 outer_len = ipv4 ? IPV4_MIN_LEN : IPV6_LEN;
	const struct way *way;
	struct macs macs;
	struct outcome end = depart(ctx, gen, to, local, how, &way, &macs);
	void *outer;

	if (end.verdict == VERDICT_DROP)
		return end;
	if (unlikely(pkt->ip_len > way->mtu))
		return unpack(tunnel_segments(ctx, choice, how, way->ifindex));
	outer = rewrite_l2(ctx, pkt->l3_offset, &macs, outer_len, keeps_tags(ctx, end, way),
			   ether_type(ipv4));
	if (!outer || outer + outer_len > frame_end(ctx))
		return drop(REASON_NO_HEADROOM);
	if (ipv4)
		write_outer4(outer, gen, pkt->tos, pkt->ip_len, choice->hash, to->sum, to->addr[0]);
	else
		write_outer6(outer, gen, pkt->tos, pkt->ip_len, choice->hash, to->addr);
	return leave(ctx, to, end, way->ifindex);
}

static __always_inline struct outcome switch_to(struct xdp_md *ctx, const struct generation *gen,
						const struct packet *pkt, const struct backend *to,
						struct backend_count *local, __u32 how)
{
	const struct way *way;
	struct macs macs;
	struct outcome end = depart(ctx, gen, to, local, how, &way, &macs);

	if (end.verdict == VERDICT_DROP)
		return end;
	if (end.verdict == NEXT_STAGE && way->form == WAY_OFF_LINK)
		return drop(REASON_NOT_ON_LINK);
	if (unlikely(pkt->ip_len > way->mtu))
		return how & LB_TC_BESIDE ? unpack(hand_over(ctx, to, REASON_TOO_BIG))
					  : drop(REASON_TOO_BIG);
	if (!rewrite_l2(ctx, pkt->l3_offset, &macs, 0, keeps_tags(ctx, end, way),
			ether_type(is_ipv4(pkt))))
		return drop(REASON_NO_HEADROOM);
	return leave(ctx, to, end, way->ifindex);
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
					      const struct packet *pkt,
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
		      ? switch_to(ctx, gen, pkt, to, local, how | LB_SWITCHES)
		      : tunnel_to(ctx, gen, pkt, choice, to, local, how);
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
					      const struct packet *pkt, __u32 how)
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
	end = forward(ctx, gen, pkt, &choice, how);
	count_service(&choice, pkt, end);
	return end;
}

/*
 * `how`: enum lb_how. Returns NEXT_STAGE for a packet that is for no service: the stack has it. VERDICT_PASS:
 * it is handed over, for the kernel to send.
 */
STAGE load_balance(struct xdp_md *ctx, const struct generation *gen, const struct packet *pkt,
		   __u32 how)
{
	return gen && pkt ? pack(balance(ctx, gen, pkt, how)) : 0;
}
