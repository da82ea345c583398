/* SPDX-License-Identifier: GPL-2.0-only */
/* Stage 1: from octets to facts. Fail-closed: what cannot be read whole is dropped with a reason. */
#pragma once

#include "parse/ipv4.h"
#include "parse/ipv6.h"

#define VLAN_TAGS_MAX 2
#define VLAN_ID_MASK  0x0fff

struct vlan_tag {
	__be16 tci;
	__be16 type; /* of what follows */
};

static __always_inline int is_vlan(__be16 type)
{
	return type == bpf_htons(ETH_P_8021Q) || type == bpf_htons(ETH_P_8021AD);
}

static __always_inline __u64 mac_number(const __u8 *mac)
{
	return (__u64)bpf_ntohs(*(const __be16 *)mac) << 32 | bpf_ntohl(*(const __be32 *)(mac + 2));
}

static __always_inline struct outcome parse_vlan(struct cursor *c, struct packet *pkt, __be16 *type)
{
	for (int i = 0; i < VLAN_TAGS_MAX; i++) {
		const struct vlan_tag *tag;

		if (!is_vlan(*type))
			return next_stage();
		tag = cursor_take(c, sizeof(*tag));
		if (!tag)
			return cursor_short(c, sizeof(*tag));
		if (!pkt->fact[FACT_VLAN_ID])
			pkt->fact[FACT_VLAN_ID] = VLAN_PRESENT | (bpf_ntohs(tag->tci) & VLAN_ID_MASK);
		*type = tag->type;
	}
	return is_vlan(*type) ? drop(REASON_VLAN_DEPTH) : next_stage();
}

static __always_inline struct outcome parse_frame(frame *ctx, struct packet *pkt)
{
	struct cursor c = cursor_at(ctx, 0, pkt->frame_len);
	const struct ethhdr *eth = cursor_take(&c, sizeof(*eth));
	struct outcome parsed;
	__be16 type;

	pkt->fact[FACT_L4PROTO] = L4PROTO_NONE;
	pkt->fact[FACT_TRANSPORT] = L4PROTO_NONE;
	if (!eth)
		return cursor_short(&c, sizeof(*eth));
	pkt->fact[FACT_ETHER_SADDR] = mac_number(eth->h_source);
	pkt->fact[FACT_ETHER_DADDR] = mac_number(eth->h_dest);

	type = eth->h_proto;
	parsed = parse_vlan(&c, pkt, &type);
	if (parsed.verdict != NEXT_STAGE)
		return parsed;
	pkt->fact[FACT_ETHER_TYPE] = bpf_ntohs(type);
	pkt->l3_offset = c.offset;

	if (type == bpf_htons(ETH_P_IP))
		return parse_ipv4(&c, pkt);
	if (type == bpf_htons(ETH_P_IPV6))
		return parse_ipv6(ctx, &c, pkt);
	if (type == bpf_htons(ETH_P_ARP))
		add_class(pkt, CLASS_ARP);
	return next_stage();
}

/*
 * `pkt` comes with its interface's name, the frame's length now, and a tag that the kernel took off
 * before; all else is zero.
 */
STAGE parse(frame *ctx, struct packet *pkt)
{
	return pkt ? pack(parse_frame(ctx, pkt)) : 0;
}
