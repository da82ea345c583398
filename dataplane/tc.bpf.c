// SPDX-License-Identifier: GPL-2.0-only
/* TC: ingress for what XDP left, egress for what the host sends. */
#include "hook_tc.h"

#include "handover.h"
#include "lb/segments_tc.h"
#include "walk.h"

static __always_inline struct outcome read(struct __sk_buff *skb, struct place *at, __u64 frame_len,
					   struct packet *pkt)
{
	struct outcome now = parse_generally(skb, frame_len, pkt);

	count_classes(at->count, pkt->classes);
	return now;
}

static __always_inline int has_more_stages(const struct generation *gen, const struct place *at)
{
	return 0;
}

static __always_inline int take_short_way(struct __sk_buff *skb, const struct generation *gen,
					  struct place *at, const struct common *seen,
					  struct outcome *end)
{
	return 0;
}

static __always_inline struct outcome go_on(struct __sk_buff *skb, const struct generation *gen,
					    struct place *at, struct packet *pkt,
					    struct outcome accepted, int captured)
{
	return accepted;
}

/*
 * Returns 1 if XDP judged the packet here, and its record. The packet itself is the witness: what the
 * interface's entry says of XDP was true when it was attached. Explain's packets come without XDP.
 */
static __always_inline int take_over(const struct __sk_buff *skb, const struct place *at,
				     struct handover *record, enum lanes lanes)
{
	const struct handover *left = handover_of(skb, at->ifindex);

	if (lanes == LANE_GENERAL && explaining) {
		record->ifindex = 0;
		return at->entry->hooks >> HOOK_XDP & 1;
	}
	if (!left)
		return 0;
	*record = *left;
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

static __always_inline struct outcome send_on(struct __sk_buff *skb, const struct handover *to)
{
	if (to->work != HANDOVER_SEND && !frame_is_segmented(skb))
		return drop(REASON_TOO_BIG);
	return to->work == HANDOVER_TUNNEL_SEGMENTS ? unpack(tunnel_segments(skb, to))
						    : send_by_neighbour(to);
}

static __always_inline int ingress(struct __sk_buff *skb, enum lanes lanes)
{
	struct handover to;
	struct place at;
	__u32 frame_len;

	if (!enter(&at, frame_interface(skb), HOOK_TC_INGRESS))
		return TC_ACT_SHOT; /* the verifier's case: hook_counts has a row for every slot */
	restore_link_header(skb);
	if (!take_over(skb, &at, &to, lanes)) {
		pull_headers(skb);
		return walk(skb, &at, HOOK_TC_INGRESS, lanes);
	}
	if (likely(!to.ifindex)) { /* and counted */
		if (lanes == LANE_GENERAL)
			explain_end(outcome(VERDICT_PASS, REASON_ALREADY_JUDGED));
		return TC_ACT_UNSPEC;
	}
	frame_len = skb->len;
	count_traffic(&at.count->received, frame_len);
	return finish(&at, frame_len, send_on(skb, &to), lanes);
}

static __always_inline int egress(struct __sk_buff *skb, enum lanes lanes)
{
	struct place at;

	if (!enter(&at, frame_interface(skb), HOOK_TC_EGRESS))
		return TC_ACT_SHOT;
	pull_headers(skb);
	return walk(skb, &at, HOOK_TC_EGRESS, lanes);
}

SEC("tc")
int weir_tc_ingress(struct __sk_buff *skb)
{
	return ingress(skb, LANES_BOTH);
}

SEC("?tc")
int weir_tc_ingress_general(struct __sk_buff *skb)
{
	return ingress(skb, LANE_GENERAL);
}

SEC("tc")
int weir_tc_egress(struct __sk_buff *skb)
{
	return egress(skb, LANES_BOTH);
}

SEC("?tc")
int weir_tc_egress_general(struct __sk_buff *skb)
{
	return egress(skb, LANE_GENERAL);
}

char _license[] SEC("license") = "GPL";
