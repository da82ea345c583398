/* SPDX-License-Identifier: GPL-2.0-only */
/* What is particular to TC: how an skb is read, and what a verdict becomes. */
#pragma once

#include "bpf.h"

typedef struct __sk_buff frame;

#include "frame.h"
#include "maps/reason.h"

/* Enough for two tags, IPv6, a long chain of extension headers, and TCP. */
#define HEADERS_LEN 256

static __always_inline __u32 frame_length(frame *ctx)
{
	return ctx->len;
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
