// SPDX-License-Identifier: GPL-2.0-only
/* XDP: a packet's whole walk. */
#include "hook_xdp.h"

#include "handover_xdp.h"
#include "lb/decap.h"
#include "lb/lb.h"
#include "walk.h"

/*
 * The frame was sent to this interface's MAC address, which is not known without an entry. Multicast and
 * broadcast are never balanced.
 */
static __always_inline int is_for_us(const struct xdp_md *ctx, const struct iface *entry)
{
	const void *to = frame_start(ctx), *here = entry->mac;
	__u32 first;

	if (to + ETH_HLEN > frame_end(ctx))
		return 0;
	first = *(const __u32 *)to;
	if (first & bpf_htonl(1 << 24)) /* to many */
		return 0;
	return (first == *(const __u32 *)here && *(const __u16 *)(to + 4) == *(const __u16 *)(here + 4)) ||
	       !entry->ifindex;
}

static __always_inline struct outcome read(struct xdp_md *ctx, struct place *at, __u64 frame_len,
					   struct packet *pkt)
{
	struct outcome now = parse_generally(ctx, frame_len, pkt);

	if (unlikely(at->entry->role == ROLE_DECAP) && now.verdict == NEXT_STAGE && is_tunnelled(pkt)) {
		now = unpack(decapsulate(ctx, pkt));
		at->count->decapsulated += now.verdict == NEXT_STAGE;
	}
	count_classes(at->count, pkt->classes);
	return now;
}

static __always_inline int has_more_stages(const struct generation *gen, const struct place *at)
{
	return at->entry->role == ROLE_BALANCER && gen->services;
}

static __always_inline int take_short_way(struct xdp_md *ctx, const struct generation *gen,
					  struct place *at, const struct common *seen,
					  struct outcome *end)
{
	__u32 verdict = NOT_COMMON;

	if (is_for_us(ctx, at->entry))
		verdict = balance_seen(ctx, gen, seen, at->ifindex);
	*end = outcome(verdict, verdict == VERDICT_DROP ? REASON_NO_HEADROOM : REASON_SERVICE);
	return verdict != NOT_COMMON;
}

static __always_inline struct outcome go_on(struct xdp_md *ctx, const struct generation *gen,
					    struct place *at, struct packet *pkt,
					    struct outcome accepted, int captured)
{
	__u32 how = captured | (at->entry->hooks & 1 << HOOK_TC_INGRESS ? LB_TC_BESIDE : 0);
	struct outcome sent;

	if (unlikely(!is_for_us(ctx, at->entry)))
		return accepted;
	sent = unpack(load_balance(ctx, gen, pkt, how));
	at->count->handed_over += sent.verdict == VERDICT_PASS;
	return sent.verdict == NEXT_STAGE ? accepted : sent;
}

static __always_inline int ingress(struct xdp_md *ctx, enum lanes lanes)
{
	struct place at;
	int action;

	if (!enter(&at, frame_interface(ctx), HOOK_XDP))
		return XDP_ABORTED; /* never: hook_counts has a row for every slot; the verifier wants it */
	action = walk(ctx, &at, HOOK_XDP, lanes);
	if (action == XDP_PASS && at.entry->hooks >> HOOK_TC_INGRESS & 1 && lanes == LANES_BOTH)
		return tell_tc(ctx);
	return action;
}

SEC("xdp.frags")
int weir_ingress(struct xdp_md *ctx)
{
	return ingress(ctx, LANES_BOTH);
}

SEC("?xdp.frags")
int weir_ingress_general(struct xdp_md *ctx)
{
	return ingress(ctx, LANE_GENERAL);
}

char _license[] SEC("license") = "GPL";
