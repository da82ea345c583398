// SPDX-License-Identifier: GPL-2.0-only
/* XDP: the whole walk of a packet. */
#include "bpf.h"

typedef struct xdp_md frame; /* what this hook gives a program */

#include "account.h"
#include "capture.h"
#include "finish.h"
#include "firewall/firewall.h"
#include "lb/decap.h"
#include "lb/lb.h"
#include "live.h"
#include "parse/parse.h"

/* What arrived in a tunnel is judged as what it is: the inner packet takes the outer one's place. */
static __always_inline struct outcome decapsulate(struct xdp_md *ctx, struct hook_count *count,
						  struct packet *pkt)
{
	__u32 received_len = pkt->frame_len, classes = pkt->classes;
	struct outcome parsed = unpack(remove_outer(ctx, pkt));

	if (parsed.verdict != NEXT_STAGE)
		return parsed;
	count->decapsulated++;
	/* All but the interface's name, which stands first. */
	_Static_assert(FACT_IFNAME_HI < 2 && FACT_IFNAME_LO < 2, "the name stands first");
	__builtin_memset((void *)pkt + sizeof(pkt->fact[0]) * 2, 0,
			 sizeof(*pkt) - sizeof(pkt->fact[0]) * 2);
	pkt->frame_len = bpf_xdp_get_buff_len(ctx);
	parsed = unpack(parse(ctx, pkt));
	pkt->frame_len = received_len; /* what is counted */
	pkt->classes |= classes;
	return parsed;
}

/* For a captured packet, with a frame of its own: a chain of calls has 512 octets of stack. */
static __noinline __u64 decapsulate_captured(struct xdp_md *ctx, struct hook_count *count,
					     struct packet *pkt)
{
	return pack(decapsulate(ctx, count, pkt));
}

/* `captured` is a constant: which of two copies of the stages a packet takes. */
static __always_inline struct outcome judge(struct xdp_md *ctx, const struct generation *gen,
					    struct place *at, struct packet *pkt, int captured)
{
	struct outcome now = unpack(parse(ctx, pkt)), sent;

	if (now.verdict == NEXT_STAGE && at->role == ROLE_DECAP && is_tunnelled(pkt))
		now = captured ? unpack(decapsulate_captured(ctx, at->count, pkt))
			       : decapsulate(ctx, at->count, pkt);
	if (now.verdict == NEXT_STAGE)
		now = unpack(captured ? firewall_captured(gen, pkt, gen->ingress_root)
				      : firewall(gen, pkt, gen->ingress_root));
	if (now.verdict != NEXT_STAGE || at->role != ROLE_BALANCER || !gen->services)
		return now;
	sent = load_balance(ctx, gen, pkt, captured);
	return sent.verdict == NEXT_STAGE ? now : sent;
}

/*
 * No generation by its bare number: none was published, or the capture switch is on. A function, so
 * that it takes no register from the packets that have one.
 */
static __noinline __u64 walk_aside(struct xdp_md *ctx, struct packet *pkt,
				   struct hook_count *count, __u32 role)
{
	struct place at = { .ifindex = ctx->ingress_ifindex, .role = role, .count = count };
	struct outcome end = outcome(VERDICT_PASS, REASON_NO_GENERATION);
	const struct generation *gen;
	int captured;

	if (!capture_is_on())
		return pack(end);
	gen = switched_generation();
	captured = capture_begin(ctx, at.ifindex, HOOK_XDP, gen);
	if (gen)
		end = settle(judge(ctx, gen, &at, pkt, 1));
	if (captured)
		capture_end(ctx, pack(end), xdp_action(end.verdict));
	return pack(end);
}

static __always_inline struct outcome walk(struct xdp_md *ctx, struct place *at,
					   struct packet *pkt)
{
	const struct generation *gen = live_generation();

	if (likely(gen))
		return judge(ctx, gen, at, pkt, 0);
	return unpack(walk_aside(ctx, pkt, at->count, at->role));
}

SEC("xdp.frags")
int weir_ingress(struct xdp_md *ctx)
{
	struct packet pkt = { .frame_len = bpf_xdp_get_buff_len(ctx) };
	struct place at;

	if (!enter(&at, ctx->ingress_ifindex, HOOK_XDP, &pkt))
		return XDP_ABORTED; /* the verifier's case: hook_counts has a row for every slot */
	count_traffic(&at.count->received, &pkt);
	explain_begin();
	return finish_xdp(&at, &pkt, walk(ctx, &at, &pkt));
}

char _license[] SEC("license") = "GPL";
