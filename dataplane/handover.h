/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From XDP to TC ingress of the same interface, with each packet that XDP passed: it was judged. A packet
 * without this record is judged by TC, so that nothing passes unjudged where XDP is gone. And the next
 * hop, if it is not resolved yet: XDP cannot wait for a neighbour; the kernel can, when TC gives it
 * the packet with the next hop. The record stands in the metadata in front of the frame.
 */
#pragma once

#include "packet.h"

#define HANDOVER_MAGIC 0x77656972 /* tells our record from another program's */

/* No longer than the kernel's metadata may be: 32 bytes. */
struct handover {
	__u32 magic;
	__u32 judged_on; /* the interface where XDP met the packet */
	__u32 ifindex;	 /* out of this interface; 0: to the stack */
	__u16 family;	 /* of the next hop: AF_INET, AF_INET6 */
	__u16 work;	 /* enum handover_work */
	union {
		__be32 nexthop[4]; /* IPv4: in the first word */
		struct {
			__u64 hash;
			__u32 backend; /* index in the backend table */
		} tunnel;
	};
};

/* What TC has to do with a packet that leaves. */
enum handover_work {
	HANDOVER_SEND,		   /* its frame is as it shall leave */
	HANDOVER_SEND_SEGMENTS,	   /* too, but as one it is longer than the link takes */
	HANDOVER_TUNNEL_SEGMENTS,  /* the outer header is missing, which each segment must have */
};

/* The record of this interface's XDP, or NULL. */
static __always_inline struct handover *handover_of(const frame *ctx, __u32 interface)
{
	struct handover *meta = frame_meta(ctx);

	if ((void *)(meta + 1) > frame_start(ctx) || meta->magic != HANDOVER_MAGIC ||
	    meta->judged_on != interface)
		return NULL;
	return meta;
}
