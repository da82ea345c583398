/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

#include "packet.h"

/* The 64-bit finalizer of MurmurHash3 (Appleby, public domain): every input bit reaches every output bit. */
static __always_inline __u64 mix64(__u64 value)
{
	value ^= value >> 33;
	value *= 0xff51afd7ed558ccdULL;
	value ^= value >> 33;
	value *= 0xc4ceb9fe1a85ec53ULL;
	return value ^ value >> 33;
}

/*
 * A flow's number, from client address and ports: the same on every node, so that any node picks
 * the same backend. Upper half: the ring. Lower half: outer source and flow label.
 */
static __always_inline __u64 flow_hash(const struct packet *pkt)
{
	__u64 ports = (__u64)pkt->sport << 16 | pkt->dport;

	return mix64(mix64(pkt->saddr_lo ^ ports << 32) ^ pkt->saddr_hi);
}

/*
 * Evenly onto 0 … size-1 without a division (Lemire, "Fast random integer generation", 2019). In 64
 * bits throughout: the verifier of kernel 6.1 loses the bound on the way to 32.
 */
static __always_inline __u64 ring_index(__u64 hash, __u32 size)
{
	return (hash >> 32) * size >> 32;
}
