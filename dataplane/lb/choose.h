/* SPDX-License-Identifier: GPL-2.0-only */
/* Which backend: the bucket's owner, or for a bucket that changed not long ago what track.h says. */
#pragma once

#include "explain.h"
#include "lb/track.h"
#include "maps/flow_hash.h"

static __always_inline struct bucket ring_bucket(const struct service *service, __u64 hash)
{
	union {
		__u64 word;
		struct bucket bucket;
	} read = { .bucket = { BUCKET_NONE, BUCKET_NONE } };
	__u32 index = service->ring + (hash >> 32 & service->ring_mask);
	const struct bucket *bucket = bpf_map_lookup_elem(&rings, &index);

	/* Both words at once: the control tool changes them so. */
	if (likely(bucket))
		read.word = *(const volatile __u64 *)bucket;
	return read.bucket;
}

static __always_inline void choose_backend(frame *ctx, const struct generation *gen,
					   const struct service *service,
					   const struct packet *pkt, struct choice *choice)
{
	struct bucket bucket;

	choice->hash = flow_hash(is_ipv4(pkt) ? 0 : pkt->saddr_hi, pkt->saddr_lo,
				 (__u32)pkt->sport << 16 | pkt->dport, service->salt);
	bucket = ring_bucket(service, choice->hash);
	choice->service = service->slot;
	choice->forward = service->forward;
	choice->backend = bucket.current;
	choice->base = bucket.base;
	see_flow(choice, pkt);
	if (unlikely(bucket.current != bucket.base))
		track_flow(ctx, gen, choice);
	explain_backend(choice->service, choice->backend, choice->tracked);
}
