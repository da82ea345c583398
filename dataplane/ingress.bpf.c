// SPDX-License-Identifier: GPL-2.0-only
/* XDP: a packet's whole walk. */
#include "hook_xdp.h"

#include "firewall/firewall.h"
#include "handover_xdp.h"
#include "lb/decap.h"
#include "lb/lb.h"
#include "parse/parse.h"
#include "walk.h"

static __always_inline struct outcome judge(struct xdp_md *ctx, const struct generation *gen,
					    struct place *at, __u64 frame_len,
					    struct packet *pkt, int captured)
{
	struct outcome now = captured ? parse_generally(ctx, frame_len, pkt)
				      : parse(ctx, frame_len, pkt), sent;

	if (unlikely(at->role == ROLE_DECAP) && now.verdict == NEXT_STAGE && is_tunnelled(pkt)) {
		now = unpack(decapsulate(ctx, pkt));
		at->count->decapsulated += now.verdict == NEXT_STAGE;
	}
	count_classes(at->count, pkt->classes);
	if (now.verdict == NEXT_STAGE)
		now = firewall(ctx, gen, at, pkt, captured);
	if (now.verdict != NEXT_STAGE || at->role != ROLE_BALANCER || !gen->services)
		return now;
	sent = load_balance(ctx, gen, pkt, captured);
	return sent.verdict == NEXT_STAGE ? now : sent;
}

SEC("xdp.frags")
int weir_ingress(struct xdp_md *ctx)
{
	struct place at;
	int action;

	if (!enter(&at, frame_interface(ctx), HOOK_XDP))
		return XDP_ABORTED; /* the verifier's case: hook_counts has a row for every slot */
	explain_begin();
	action = walk(ctx, &at, HOOK_XDP);
	if (action == XDP_PASS && at.hooks >> HOOK_TC_INGRESS & 1 && !explaining)
		return tell_tc(ctx);
	return action;
}

char _license[] SEC("license") = "GPL";
