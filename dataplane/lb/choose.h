/* SPDX-License-Identifier: GPL-2.0-only */
/* Which backend: the one that the flow already has, else the one that the ring names. */
#pragma once

#include "explain.h"
#include "lb/hash.h"
#include "lb/service.h"
#include "parse/transport.h"

/* What was found for a packet to a service. */
struct choice {
	__u64 hash;	/* of the flow: flow_hash() */
	__u32 service;	/* slot; NO_SERVICE: the packet is for none */
	__u32 forward;	/* enum forward_mode */
	__u32 backend;	/* index in the backend table; NO_BACKEND: the service has none to give */
	__u16 new_flow; /* 1: entered into the flow table now */
	__u16 by_ring;	/* 1: the ring named the backend; 0: the flow had it */
};
#define NO_SERVICE 0xffffffff
#define NO_BACKEND 0xffffffff

static __always_inline struct flow_key flow_key(const struct service *service,
						const struct packet *pkt)
{
	struct flow_key key = {
		.service = service->slot,
		.sport = bpf_htons(pkt->sport),
		.dport = bpf_htons(pkt->dport),
	};

	write_address(key.client, pkt, pkt->saddr_hi, pkt->saddr_lo);
	return key;
}

/*
 * A SYN begins a flow, and proves nothing: it neither uses nor enters an entry, so that a flood of
 * them evicts no living flow.
 */
static __always_inline int begins_flow(const struct packet *pkt)
{
	return pkt->transport == IPPROTO_TCP && (pkt->tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
}

static __always_inline const struct backend *backend_at(const struct generation *gen, __u32 index)
{
	__u32 pool_index = gen->backend_table;
	void *table = bpf_map_lookup_elem(&backend_tables, &pool_index);

	return table ? bpf_map_lookup_elem(table, &index) : NULL;
}

/* The flow's own backend. Another handle at its place: that backend was removed since. */
static __always_inline __u32 backend_of_flow(const struct generation *gen,
					     const struct flow_key *key)
{
	const struct flow *flow = bpf_map_lookup_elem(&flows, key);
	const struct backend *backend = flow ? backend_at(gen, flow->backend) : NULL;

	return backend && backend->handle == flow->handle ? flow->backend : NO_BACKEND;
}

static __always_inline __u32 backend_of_ring(const struct service *service, __u64 hash)
{
	void *inner = bpf_map_lookup_elem(&rings, &service->ring);
	__u64 bucket = ring_index(hash, RING_SIZE);
	const struct ring *ring;
	__u32 only = 0;

	if (!inner || !service->usable)
		return NO_BACKEND;
	ring = bpf_map_lookup_elem(inner, &only);
	return ring ? ring->backend[bucket] : NO_BACKEND;
}

static __always_inline void choose_backend(const struct generation *gen,
					   const struct service *service,
					   const struct packet *pkt, struct choice *choice)
{
	struct flow_key key = flow_key(service, pkt);
	int established = !begins_flow(pkt);
	const struct backend *backend;
	struct flow entry;

	choice->hash = flow_hash(pkt);
	choice->service = service->slot;
	choice->forward = service->forward;
	choice->backend = established ? backend_of_flow(gen, &key) : NO_BACKEND;
	if (choice->backend != NO_BACKEND) {
		explain_backend(service->slot, choice->backend, 1);
		return;
	}
	choice->backend = backend_of_ring(service, choice->hash);
	choice->by_ring = 1;
	explain_backend(service->slot, choice->backend, 0);
	if (!established || explaining)
		return;
	backend = backend_at(gen, choice->backend);
	if (!backend)
		return;
	entry = (struct flow){ .backend = choice->backend, .handle = backend->handle };
	choice->new_flow = !bpf_map_update_elem(&flows, &key, &entry, BPF_ANY);
}
