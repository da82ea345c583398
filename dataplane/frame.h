/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The frame's first buffer. `frame` is what the hook gives a program: struct xdp_md or struct
 * __sk_buff; the file of the hook names it before any other header.
 */
#pragma once

#include "bpf.h"

/* In assembly, because the verifier refuses what compilers like: a pointer into the context. */
#define FRAME_FIELD(ctx, field)                                                                    \
	({                                                                                         \
		void *value_;                                                                      \
		asm volatile("%0 = *(u32 *)(%1 + %2)"                                              \
			     : "=r"(value_)                                                        \
			     : "r"(ctx), "i"(__builtin_offsetof(frame, field)));                   \
		value_;                                                                            \
	})

static __always_inline void *frame_start(const frame *ctx)
{
	return FRAME_FIELD(ctx, data);
}

static __always_inline void *frame_end(const frame *ctx)
{
	return FRAME_FIELD(ctx, data_end);
}

/* Metadata between here and the start, if there is any. */
static __always_inline void *frame_meta(const frame *ctx)
{
	return FRAME_FIELD(ctx, data_meta);
}
