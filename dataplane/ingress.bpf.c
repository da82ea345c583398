// SPDX-License-Identifier: GPL-2.0-only
/* XDP: a packet's whole walk. */
#include "hook_xdp.h"

#include "handover_xdp.h"
#include "lb/decap.h"
#include "lb/lb.h"
#include "walk.h"

/*
 * The stack would take the frame in: it is for this interface's address. Without an entry nothing is known
 * of that; what is for many is for no balancer.
 */
static __always_inline int is_for_us(const struct xdp_md *ctx, const struct iface *entry)
{
	const struct ethhdr *eth = frame_start(ctx);

	if ((void *)(eth + 1) > frame_end(ctx) || eth->h_dest[0] & 1)
		return 0;
	return (*(const __u32 *)eth->h_dest == *(const __u32 *)entry->mac &&
		*(const __u16 *)(eth->h_dest + 4) == *(const __u16 *)(entry->mac + 4)) ||
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
	return is_for_us(ctx, at->entry) &&
	       balance_at_rest(ctx, gen, at->count, seen, end);
}

static __always_inline struct outcome judge(struct xdp_md *ctx, const struct generation *gen,
					    struct place *at, struct packet *pkt, int captured)
{
	struct outcome now = firewall(ctx, gen, at, pkt, captured), sent;

	if (now.verdict != NEXT_STAGE || !has_more_stages(gen, at) || unlikely(!is_for_us(ctx, at->entry)))
		return now;
	sent = unpack(load_balance(ctx, gen, at->count, pkt,
				   captured | (at->entry->hooks & 1 << HOOK_TC_INGRESS ? LB_TC_BESIDE : 0)));
	return sent.verdict == NEXT_STAGE ? now : sent;
}

SEC("xdp.frags")
int weir_ingress(struct xdp_md *ctx)
{
	struct place at;
	int action;

	if (!enter(&at, frame_interface(ctx), HOOK_XDP))
		return XDP_ABORTED; /* the verifier's case: hook_counts has a row for every slot */
	action = walk(ctx, &at, HOOK_XDP);
	if (action == XDP_PASS && at.entry->hooks >> HOOK_TC_INGRESS & 1 && !explaining)
		return tell_tc(ctx);
	return action;
}

char _license[] SEC("license") = "GPL";
