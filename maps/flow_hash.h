/* SPDX-License-Identifier: GPL-2.0-only */
/* Hashes that packets and the control tool compute alike, and every node of a cluster, too. */
#pragma once

#include <linux/types.h>

/*
 * The 64-bit finalizer of MurmurHash3 (Appleby, public domain): every input bit reaches every output
 * bit, and no two inputs have the same output.
 */
static inline __u64 mix64(__u64 value)
{
	value ^= value >> 33;
	value *= 0xff51afd7ed558ccdULL;
	value ^= value >> 33;
	value *= 0xc4ceb9fe1a85ec53ULL;
	return value ^ value >> 33;
}

/*
 * A flow of one service. `ports`: source port << 16 | destination port. `salt` is the service's, a secret to
 * whoever sends packets. The hash is the flow's fingerprint in the flow table: for IPv4 (saddr_hi is 0) no two
 * flows of a service share it, as 32 bits of address and 32 of ports fill it; for IPv6 two in 2^64 do.
 */
static inline __u64 flow_hash(__u64 saddr_hi, __u64 saddr_lo, __u32 ports, __u64 salt)
{
	if (!saddr_hi)
		return mix64(saddr_lo ^ (__u64)ports << 32 ^ salt);
	return mix64(mix64(mix64(saddr_lo ^ salt) ^ saddr_hi) ^ ports);
}

/*
 * Of what a service is looked up by; `seed` is the table's. Its upper half gives the first place, its
 * lower half the second: service tables are cuckoo hash tables, whose builder takes another seed where one
 * has no room. Every bit of the key moves both places, or regular addresses would have none under any seed.
 */
static inline __u64 service_hash(__u64 vip_hi, __u64 vip_lo, __u32 key, __u64 seed)
{
	__u64 hash = vip_lo ^ seed;

	if ((key & 0xff) == 4)
		hash ^= (__u64)key << 32;
	else
		hash = mix64(mix64(hash) ^ vip_hi) ^ key;
	hash *= 0xff51afd7ed558ccdULL;
	hash ^= hash >> 32;
	hash *= 0xc4ceb9fe1a85ec53ULL;
	return hash ^ hash >> 32;
}

static inline __u32 service_first(__u64 hash, __u32 mask)
{
	return hash >> 32 & mask;
}

static inline __u32 service_second(__u64 hash, __u32 mask)
{
	return hash & mask;
}
