/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stage 1: from bytes to facts. Fails closed: what cannot be read whole is dropped with a reason.
 * Common packets take the fast lane, parse/common.h; it leaves all others to parse_any().
 */
#pragma once

#include "explain.h"
#include "parse/common.h"
#include "parse/ipv4.h"
#include "parse/ipv6.h"

#define VLAN_TAGS_MAX 2

static __always_inline struct outcome parse_vlan(struct cursor *c, struct packet *pkt, __be16 *type)
{
	for (int i = 0; i < VLAN_TAGS_MAX; i++) {
		const struct vlan_tag *tag;

		if (!is_vlan(*type))
			return next_stage();
		tag = cursor_take(c, sizeof(*tag));
		if (!tag)
			return cursor_short(c, sizeof(*tag));
		if (!pkt->vlan)
			pkt->vlan = VLAN_PRESENT | (bpf_ntohs(tag->tci) & VLAN_ID_MASK);
		*type = tag->type;
	}
	return is_vlan(*type) ? drop(REASON_VLAN_DEPTH) : next_stage();
}

static __always_inline struct outcome parse_frame(frame *ctx, struct packet *pkt)
{
	struct cursor c = cursor_at(ctx, 0, pkt->frame_len);
	struct outcome parsed;
	__be16 type = bpf_htons(pkt->ether_type);

	pkt->l4proto = L4PROTO_NONE;
	pkt->transport = L4PROTO_NONE;
	if (!type) {
		const struct ethhdr *eth = cursor_take(&c, sizeof(*eth));

		if (!eth)
			return cursor_short(&c, sizeof(*eth));
		type = eth->h_proto;
		parsed = parse_vlan(&c, pkt, &type);
		if (parsed.verdict != NEXT_STAGE)
			return parsed;
		pkt->ether_type = bpf_ntohs(type);
	}
	pkt->l3_offset = c.offset;

	if (type == bpf_htons(ETH_P_IP))
		return parse_ipv4(&c, pkt);
	if (type == bpf_htons(ETH_P_IPV6))
		return parse_ipv6(ctx, &c, pkt);
	if (type == bpf_htons(ETH_P_ARP))
		add_class(pkt, CLASS_ARP);
	return next_stage();
}

static __always_inline __u8 packet_kind(const struct packet *pkt)
{
	__u8 tcp = is_ipv4(pkt) ? KIND_IPV4_TCP : KIND_IPV6_TCP;

	if (!is_ipv4(pkt) && !is_ipv6(pkt))
		return KIND_NOT_IP;
	if (pkt->transport == IPPROTO_TCP)
		return tcp;
	if (pkt->transport == IPPROTO_UDP)
		return tcp + KIND_IPV4_UDP - KIND_IPV4_TCP;
	if (pkt->transport == (is_ipv4(pkt) ? IPPROTO_ICMP : IPPROTO_ICMPV6))
		return tcp + KIND_IPV4_ICMP - KIND_IPV4_TCP;
	return tcp + KIND_IPV4_OTHER - KIND_IPV4_TCP;
}

/*
 * The general lane: any packet. `pkt` comes with the frame's length now, with a tag that the kernel
 * keeps beside the frame, with `segmented`, and with the type of a frame that has no link-layer header;
 * all else is zero.
 */
STAGE parse_any(frame *ctx, struct packet *pkt)
{
	struct outcome parsed;

	if (!pkt)
		return 0;
	parsed = parse_frame(ctx, pkt);
	pkt->kind = packet_kind(pkt);
	return pack(parsed);
}

static __always_inline struct outcome parse_generally(frame *ctx, __u32 frame_len,
						      struct packet *pkt)
{
	__builtin_memset(pkt, 0, sizeof(*pkt));
	pkt->frame_len = frame_len;
	pkt->vlan = vlan_fact(frame_tag(ctx));
	pkt->segmented = frame_is_segmented(ctx);
	pkt->ether_type = bpf_ntohs(frame_bare_protocol(ctx));
	return unpack(parse_any(ctx, pkt));
}

/* 1: a common packet, `seen`. All others are for parse_generally(). */
static __always_inline int takes_fast_lane(frame *ctx, enum lanes lanes, struct common *seen)
{
	return lanes == LANES_BOTH && !frame_bare_protocol(ctx) &&
	       likely(see_common(ctx, seen));
}
