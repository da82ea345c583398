/* SPDX-License-Identifier: GPL-2.0-only */
/* What is particular to XDP: how a frame is read, and what a verdict becomes. */
#pragma once

#include "bpf.h"

typedef struct xdp_md frame;

#include "frame.h"
#include "maps/reason.h"

static __always_inline __u64 frame_length(frame *ctx)
{
	return bpf_xdp_get_buff_len(ctx);
}

/* Of the first buffer, which begins and ends here: that of most frames, without the call. */
static __always_inline __u32 frame_first_length(frame *ctx, const void *start, const void *end)
{
	return end - start;
}

static __always_inline __u32 frame_interface(const frame *ctx)
{
	return (__u32)(long)FRAME_FIELD(ctx, ingress_ifindex);
}

/* TPID << 16 | TCI of a tag that is kept beside the frame; 0: none. */
static __always_inline __u32 frame_tag(const frame *ctx)
{
	return 0;
}

static __always_inline int frame_is_segmented(const frame *ctx)
{
	return 0;
}

/* Type of the network protocol that the frame begins with, for want of a link-layer header; 0: it has
 * one. Weir attaches XDP to interfaces with Ethernet headers alone. */
static __always_inline __be16 frame_bare_protocol(frame *ctx)
{
	return 0;
}

static __always_inline long frame_load(frame *ctx, __u32 offset, void *to, __u32 bytes)
{
	return bpf_xdp_load_bytes(ctx, offset, to, bytes);
}

static __always_inline int hook_action(__u32 verdict)
{
	return verdict >= VERDICT_DROP ? XDP_DROP : XDP_PASS + verdict;
}
_Static_assert(XDP_PASS + VERDICT_SEND == XDP_TX && XDP_PASS + VERDICT_REDIRECT == XDP_REDIRECT &&
	       XDP_PASS + VERDICT_PASS == XDP_PASS, "verdicts in the order of actions");
