// SPDX-License-Identifier: GPL-2.0-only
/* TC: ingress for what XDP left, egress for what the host sends. */
#include "bpf.h"

typedef struct __sk_buff frame; /* what this hook gives a program */

#include "account.h"
#include "capture.h"
#include "finish.h"
#include "firewall/firewall.h"
#include "handover.h"
#include "live.h"
#include "parse/parse.h"

/* Enough for two tags, IPv6, a long chain and TCP. */
#define HEADERS_LEN 256

/* The rest of an skb may lie in pages; and the kernel keeps the outermost tag beside the frame. */
static __always_inline void prepare(struct __sk_buff *skb, struct packet *pkt)
{
	__u32 wanted = skb->len < HEADERS_LEN ? skb->len : HEADERS_LEN;

	if (frame_start(skb) + wanted > frame_end(skb))
		bpf_skb_pull_data(skb, wanted);
	if (skb->vlan_present)
		pkt->fact[FACT_VLAN_ID] = VLAN_PRESENT | (skb->vlan_tci & VLAN_ID_MASK);
	pkt->segmented = skb->gso_size > 0;
}

/* `captured` is a constant: which of two copies of the stages a packet takes. */
static __always_inline struct outcome judge(struct __sk_buff *skb, const struct generation *gen,
					    struct packet *pkt, int egress, int captured)
{
	struct outcome now;
	__u32 root;

	prepare(skb, pkt);
	now = unpack(parse(skb, pkt));
	if (now.verdict != NEXT_STAGE)
		return now;
	root = egress ? gen->egress_root : gen->ingress_root;
	return unpack(captured ? firewall_captured(gen, pkt, root) : firewall(gen, pkt, root));
}

/*
 * No generation by its bare number: none was published, or the capture switch is on. A function, so
 * that it takes no register from the packets that have one.
 */
static __noinline __u64 walk_aside(struct __sk_buff *skb, struct packet *pkt, int egress)
{
	struct outcome end = outcome(VERDICT_PASS, REASON_NO_GENERATION);
	const struct generation *gen;
	int captured;

	if (!capture_is_on())
		return pack(end);
	gen = switched_generation();
	captured = capture_begin(skb, skb->ifindex, egress ? HOOK_TC_EGRESS : HOOK_TC_INGRESS, gen);
	if (gen)
		end = settle(judge(skb, gen, pkt, egress, 1));
	if (captured)
		capture_end(skb, pack(end), tc_action(end.verdict));
	return pack(end);
}

static __always_inline struct outcome walk(struct __sk_buff *skb, struct packet *pkt, int egress)
{
	const struct generation *gen = live_generation();

	if (likely(gen))
		return judge(skb, gen, pkt, egress, 0);
	return unpack(walk_aside(skb, pkt, egress));
}

/* Answers 1 and the record if XDP left one on this packet. */
static __always_inline int take_over(const struct __sk_buff *skb, struct handover *record)
{
	const struct handover *meta = frame_meta(skb);

	if ((void *)(meta + 1) > frame_start(skb) || meta->magic != HANDOVER_MAGIC)
		return 0;
	*record = *meta;
	return 1;
}

/* Sends what XDP could not, for want of a neighbour entry: the kernel resolves, queues and sends. */
static __always_inline struct outcome send_by_neighbour(const struct handover *to)
{
	struct bpf_redir_neigh neighbour = { .nh_family = to->family };

	__builtin_memcpy(neighbour.ipv6_nh, to->nexthop, sizeof(neighbour.ipv6_nh));
	if (bpf_redirect_neigh(to->ifindex, &neighbour, sizeof(neighbour), 0) != TC_ACT_REDIRECT)
		return drop(REASON_NO_ROUTE);
	return outcome(VERDICT_REDIRECT, REASON_SERVICE);
}

SEC("tc")
int weir_tc_ingress(struct __sk_buff *skb)
{
	struct packet pkt = { .frame_len = skb->len };
	struct handover to;
	struct place at;

	if (!enter(&at, skb->ifindex, HOOK_TC_INGRESS, &pkt))
		return TC_ACT_SHOT; /* the verifier's case: hook_counts has a row for every slot */
	explain_begin();
	if (at.hooks >> HOOK_XDP & 1) {
		if (likely(!take_over(skb, &to))) {
			/* XDP judged it and counted it. */
			explain_end(outcome(VERDICT_PASS, REASON_ALREADY_JUDGED));
			return TC_ACT_UNSPEC;
		}
		count_traffic(&at.count->received, &pkt);
		return finish_tc(&at, &pkt, send_by_neighbour(&to));
	}
	count_traffic(&at.count->received, &pkt);
	return finish_tc(&at, &pkt, walk(skb, &pkt, 0));
}

SEC("tc")
int weir_tc_egress(struct __sk_buff *skb)
{
	struct packet pkt = { .frame_len = skb->len };
	struct place at;

	if (!enter(&at, skb->ifindex, HOOK_TC_EGRESS, &pkt))
		return TC_ACT_SHOT;
	explain_begin();
	count_traffic(&at.count->received, &pkt);
	return finish_tc(&at, &pkt, walk(skb, &pkt, 1));
}

char _license[] SEC("license") = "GPL";
