/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

#include "packet.h"

/* The longest chain of headers ends at 22 + 40 + 8 * 2048 octets; as a mask, for the verifier. */
#define OFFSET_MASK 0x7fff

/* A place in the frame, and two ends: of the memory, and of what the headers so far announced. */
struct cursor {
	void *pos;
	void *end;    /* of the first buffer */
	__u32 offset; /* of `pos` from the start of the frame */
	__u32 left;   /* octets up to the end that the enclosing length field gives */
};

/* `frame` is what the hook gives a program: struct xdp_md or struct __sk_buff. */
static __always_inline struct cursor cursor_at(frame *ctx, __u32 offset, __u32 left)
{
	struct cursor c = {
		.pos = frame_start(ctx),
		.end = frame_end(ctx),
		.offset = offset,
		.left = left,
	};

	c.pos += offset & OFFSET_MASK;
	return c;
}

/* The only place that compares packet pointers with the end of the packet. */
static __always_inline void *cursor_take(struct cursor *c, __u32 len)
{
	void *start = c->pos;

	if (len > c->left || start + len > c->end)
		return NULL;
	c->pos = start + len;
	c->offset += len;
	c->left -= len;
	return start;
}

/*
 * What a 16-bit length field of 0 may mean: the kernel writes that above 64 KiB, into what it will
 * segment (Linux, "BIG TCP"). TC is told of such frames; generic XDP only sees how long they are.
 */
static __always_inline int exceeds_length_field(const struct packet *pkt, const struct cursor *c)
{
	return pkt->segmented || c->left > 0xffff;
}

/* Why cursor_take() answered nothing: octets that exist but lie in a further buffer, or none. */
static __always_inline struct outcome cursor_short(const struct cursor *c, __u32 len)
{
	return drop(len > c->left ? REASON_TRUNCATED : REASON_SPLIT_HEADERS);
}
