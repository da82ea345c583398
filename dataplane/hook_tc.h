/* SPDX-License-Identifier: GPL-2.0-only */
/* What is particular to TC: how an skb is read, and what a verdict becomes. */
#pragma once

#include "bpf.h"

typedef struct __sk_buff frame;

#include "frame.h"
#include "maps/reason.h"

/* Enough for two tags, IPv6, a long chain of extension headers, and TCP. */
#define HEADERS_LEN 256

static __always_inline __u64 frame_length(frame *ctx)
{
	return ctx->len;
}

/* The same: an skb is one frame, wherever its bytes lie. */
static __always_inline __u32 frame_first_length(frame *ctx, const void *start, const void *end)
{
	return ctx->len;
}

/* The rest of an skb may lie in pages: bring the headers into its first buffer. */
static __always_inline void pull_headers(struct __sk_buff *skb)
{
	__u32 wanted = skb->len < HEADERS_LEN ? skb->len : HEADERS_LEN;

	if (unlikely(frame_start(skb) + wanted > frame_end(skb)))
		bpf_skb_pull_data(skb, wanted);
}

static __always_inline __u32 frame_interface(const frame *ctx)
{
	return ctx->ifindex;
}

/* TPID << 16 | TCI of a tag that is kept beside the frame; 0: none. */
static __always_inline __u32 frame_tag(const frame *ctx)
{
	return ctx->vlan_present ? (__u32)bpf_ntohs(ctx->vlan_proto) << 16 | ctx->vlan_tci : 0;
}

static __always_inline int frame_is_segmented(const frame *ctx)
{
	return ctx->gso_size > 0;
}

/* An IP header may begin so; the address of an Ethernet header, too. */
static __always_inline int may_begin_with_ip(const struct __sk_buff *skb)
{
	const __u8 *first = frame_start(skb);

	return (void *)(first + 1) <= frame_end(skb) && (*first >> 4 == 4 || *first >> 4 == 6);
}

/* As much of two readings of a frame is compared: more than common headers take. */
#define COMPARED_LEN 64

/* 1: the frame begins with its network header, that is, it reads the same from there. */
static __noinline int begins_with_network_header(struct __sk_buff *skb)
{
	for (int i = 0; i < COMPARED_LEN; i += sizeof(__u32)) {
		__u32 here = 0, there = 0;
		long end = bpf_skb_load_bytes(skb, i, &here, sizeof(here));
		long end_there = bpf_skb_load_bytes_relative(skb, i, &there, sizeof(there),
							     BPF_HDR_START_NET);

		if (end || end_there)
			return end && end_there;
		if (here != there)
			return 0;
	}
	return 1;
}

/*
 * Behind generic XDP some kernels (6.12, 6.18) show TC ingress a frame without the Ethernet header that
 * stands in front of it: the copy that they made has lost the header's length. Take it back.
 */
static __always_inline void restore_link_header(struct __sk_buff *skb)
{
	__u16 kept[ETH_HLEN / 2], first[ETH_HLEN / 2], differ = 0;

	if (likely(!may_begin_with_ip(skb)) || !begins_with_network_header(skb))
		return;
	if (bpf_skb_load_bytes_relative(skb, 0, &kept, sizeof(kept), BPF_HDR_START_MAC) ||
	    bpf_skb_load_bytes(skb, 0, &first, sizeof(first)))
		return;
#pragma unroll
	for (int i = 0; i < ETH_HLEN / 2; i++)
		differ |= kept[i] ^ first[i];
	if (differ && !bpf_skb_change_head(skb, sizeof(kept), 0))
		bpf_skb_store_bytes(skb, 0, &kept, sizeof(kept), 0);
}

/*
 * Type of the network protocol that the frame begins with, for want of a link-layer header (tun,
 * WireGuard, GRE); 0: it has one.
 */
static __always_inline __be16 frame_bare_protocol(struct __sk_buff *skb)
{
	if (likely(!may_begin_with_ip(skb)) || !begins_with_network_header(skb))
		return 0;
	return skb->protocol;
}

static __always_inline long frame_load(frame *ctx, __u32 offset, void *to, __u32 bytes)
{
	return bpf_skb_load_bytes(ctx, offset, to, bytes);
}

/* TC_ACT_UNSPEC is TCX_NEXT: accepted here, further programs on the hook run. */
static __always_inline int hook_action(__u32 verdict)
{
	switch (verdict) {
	case VERDICT_PASS:
		return TC_ACT_UNSPEC;
	case VERDICT_REDIRECT:
		return TC_ACT_REDIRECT;
	default:
		return TC_ACT_SHOT;
	}
}
