/* SPDX-License-Identifier: GPL-2.0-only */
/* What the stages hand to one another. */
#pragma once

#include "frame.h"
#include "maps/facts.h"
#include "maps/reason.h"

/* The parsed facts that every stage reads; no stage looks at headers that it does not rewrite. */
struct packet {
	__u64 fact[FACT_COUNT];
	__u64 hash;    /* of the flow: flow_hash(), set by the balancer */
	__be32 src[4]; /* IPv4: first word */
	__be32 dst[4];
	__u32 frame_len; /* octets as received, all buffers, no FCS */
	__u32 l3_offset; /* octets from the start of the frame */
	__u32 l4_offset;
	__u32 ip_len;	 /* octets from the IP header to the end of its payload */
	__u32 classes;	 /* bit per enum packet_class */
	__be16 sport;
	__be16 dport;
	__u8 family;	 /* 4, 6; 0: not IP */
	__u8 proto;	 /* of the transport header; 0 if it is not in this packet */
	__u8 tos;	 /* IPv4 TOS, IPv6 traffic class */
	__u8 segmented;	 /* set by TC: an skb that the kernel will segment, see parse_ipv4() */
};

struct outcome {
	__u32 verdict; /* enum verdict, or NEXT_STAGE */
	__u32 reason;  /* enum reason */
};

/*
 * Stages are global functions: the verifier reads each once, whatever came before it, instead of
 * every path through all of them. Such a function returns one number, so an outcome is packed.
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
