/* SPDX-License-Identifier: GPL-2.0-only */
/* Of a frame that stands for several segments: all that XDP could not do, lb/segments_xdp.h. */
#pragma once

#include "handover.h"
#include "lb/backend.h"
#include "lb/tunnel.h"
#include "live.h"
#include "parse/parse.h"

/* The kernel writes the header in front of each segment, and makes room for it: TCP segments get shorter. */
static __always_inline long push_header(struct __sk_buff *skb, const struct packet *pkt,
					const __be32 *outer, int ipv4)
{
	__u32 len = ipv4 ? IPV4_MIN_LEN : IPV6_LEN;
	__be16 type = ipv4 ? bpf_htons(ETH_P_IP) : bpf_htons(ETH_P_IPV6);
	__u64 flags = ipv4 ? BPF_F_ADJ_ROOM_ENCAP_L3_IPV4 : BPF_F_ADJ_ROOM_ENCAP_L3_IPV6;

	if (pkt->transport == IPPROTO_UDP) /* its segments are datagrams: they stay as they are */
		flags |= BPF_F_ADJ_ROOM_FIXED_GSO;
	if (bpf_skb_adjust_room(skb, len, BPF_ADJ_ROOM_MAC, flags) ||
	    bpf_skb_store_bytes(skb, pkt->l3_offset - sizeof(type), &type, sizeof(type), 0))
		return -1;
	return bpf_skb_store_bytes(skb, pkt->l3_offset, outer, len, 0);
}

static __always_inline struct outcome by_mac(struct __sk_buff *skb, const __u8 *gateway)
{
	__u8 here[ETH_ALEN];

	if (bpf_skb_load_bytes(skb, 0, here, sizeof(here)) ||
	    bpf_skb_store_bytes(skb, ETH_ALEN, here, sizeof(here), 0) ||
	    bpf_skb_store_bytes(skb, 0, gateway, ETH_ALEN, 0) ||
	    bpf_redirect(skb->ifindex, 0) != TC_ACT_REDIRECT)
		return drop(REASON_NO_ROUTE);
	return outcome(VERDICT_REDIRECT, REASON_SERVICE);
}

static __always_inline struct outcome tunnel_each(struct __sk_buff *skb, struct packet *pkt,
						  const struct handover *order)
{
	const struct generation *gen = generation_at(live_word() & ~CAPTURE_ON);
	const struct backend *to;
	__be32 outer[IPV6_LEN / sizeof(__be32)];
	struct outcome parsed;
	int ipv4;

	to = gen ? backend_at(gen, order->tunnel.backend) : NULL;
	if (!to || !to->handle) /* removed meanwhile */
		return drop(REASON_NO_BACKEND);
	parsed = parse_generally(skb, skb->len, pkt);
	if (parsed.verdict != NEXT_STAGE)
		return parsed;
	ipv4 = to->family == 4;
	if (ipv4) {
		if (pkt->ip_len + IPV4_MIN_LEN > 0xffff) /* "BIG TCP": 0 says so */
			pkt->ip_len = -IPV4_MIN_LEN;
		write_outer4(outer, gen, pkt->tos, pkt->ip_len, order->tunnel.hash, to->sum,
			     to->addr[0]);
	} else {
		write_outer6(outer, gen, pkt->tos, pkt->ip_len, order->tunnel.hash, to->addr);
	}
	if (push_header(skb, pkt, outer, ipv4))
		return drop(REASON_NO_HEADROOM);
	if (gen->has_gateway)
		return by_mac(skb, gen->gateway);
	/* Its route is that of the outer header. */
	if (bpf_redirect_neigh(order->ifindex, NULL, 0, 0) != TC_ACT_REDIRECT)
		return drop(REASON_NO_ROUTE);
	return outcome(VERDICT_REDIRECT, REASON_SERVICE);
}

STAGE tunnel_segments(struct __sk_buff *skb, const struct handover *order)
{
	struct packet pkt;

	return order ? pack(tunnel_each(skb, &pkt, order)) : 0;
}
