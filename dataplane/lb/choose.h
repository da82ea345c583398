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
	__u64 at = hash >> 32 & service->ring_mask;
	__u32 page = service->ring + at / RING_PAGE;
	const struct ring_page *ring = bpf_map_lookup_elem(&rings, &page);

	/* Both words at once: the control tool changes them so. */
	if (likely(ring))
		read.word = *(const volatile __u64 *)&ring->bucket[at % RING_PAGE];
	return read.bucket;
}

static __always_inline void choose_backend(frame *ctx, const struct generation *gen,
					   const struct service *service,
					   const struct packet *pkt, struct choice *choice)
{
	struct bucket bucket;

	choice->hash = flow_hash(is_ipv4(pkt) ? 0 : pkt->saddr_hi, pkt->saddr_lo, pkt->sport,
				 pkt->dport, service->salt);
	bucket = ring_bucket(service, choice->hash);
	choice->service = service->slot;
	choice->forward = service->forward;
	choice->backend = bucket.current;
	choice->tracked = 0;
	choice->connects = begins_connection(pkt);
	choice->begins = choice->connects;
	if (unlikely(bucket.current != bucket.base)) {
		choice->base = bucket.base;
		track_flow(ctx, gen, pkt, choice);
	}
	explain_backend(choice->service, choice->backend, choice->tracked);
}
