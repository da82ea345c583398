/* SPDX-License-Identifier: GPL-2.0-only */
/* What the stages pass to one another: the packet, and what became of it. */
#pragma once

#include "frame.h"
#include "maps/facts.h"
#include "maps/reason.h"

struct outcome {
	__u32 verdict; /* enum verdict, or NEXT_STAGE */
	__u32 reason;  /* enum reason */
};

/*
 * Stages that not every packet passes are global functions: the verifier reads each once, whatever
 * came before it, instead of every path through all of them. Such a function returns one number, so
 * an outcome is packed.
 */
#define STAGE __noinline __u64

static __always_inline __u64 pack(struct outcome end)
{
	return (__u64)end.reason << 32 | end.verdict;
}

static __always_inline struct outcome unpack(__u64 packed)
{
	struct outcome end = { .verdict = (__u32)packed, .reason = packed >> 32 };

	return end;
}

#define VERDICT_MASK (VERDICT_COUNT - 1)

/* Not an end: the next stage decides. */
#define NEXT_STAGE VERDICT_COUNT

static __always_inline struct outcome outcome(__u32 verdict, __u32 reason)
{
	struct outcome made = { .verdict = verdict, .reason = reason };

	return made;
}

static __always_inline struct outcome drop(__u32 reason)
{
	return outcome(VERDICT_DROP, reason);
}

static __always_inline struct outcome next_stage(void)
{
	return outcome(NEXT_STAGE, REASON_POLICY);
}

static __always_inline void add_class(struct packet *pkt, enum packet_class class)
{
	pkt->classes |= 1u << class;
}

static __always_inline int has_class(const struct packet *pkt, enum packet_class class)
{
	return pkt->classes >> class & 1;
}

static __always_inline int is_ipv4(const struct packet *pkt)
{
	return pkt->ether_type == ETH_P_IP;
}

static __always_inline int is_ipv6(const struct packet *pkt)
{
	return pkt->ether_type == ETH_P_IPV6;
}
