/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Buckets that changed not long ago. A living flow without an entry was opened while nothing was
 * tracked, so it belongs to the bucket's base; docs/explanation/balancer.md has the argument.
 */
#pragma once

#include "lb/backend.h"
#include "lb/flow_table.h"
#include "maps/generation.h"
#include "parse/transport.h"

/* What was found for a packet to a service. */
struct choice {
	__u64 hash;    /* of the flow: flow_hash() */
	__u32 service; /* slot */
	__u32 backend; /* index in the backend table; BUCKET_NONE: the service has none to give */
	__u32 base;    /* of its bucket */
	__u32 payload; /* offset of a UDP payload that is long enough to begin QUIC; 0: of none */
	__u8 udp;      /* 1: UDP, 0: TCP */
	__u8 forward;  /* enum forward_mode */
	__u8 tracked;  /* 1: an entry of the flow table named the backend */
	__u8 connects; /* 1: the packet is a SYN, which begins a TCP connection */
	__u8 begins;   /* 1: the packet begins a flow, of TCP or QUIC */
	__u8 closes;   /* 1: FIN or RST */
	__u16 reserved;
};

enum phase {
	PHASE_HOT,     /* flows without an entry belong to the base */
	PHASE_CLOSING, /* and are entered when they speak */
	PHASE_WARM,    /* whatever has no entry by now belongs to `current` */
};

static __always_inline enum phase phase_of(const struct service_state *state, __u32 base, __u32 now,
					   __u32 idle)
{
	__u32 age = passed(state->changed, now);

	if (base & BUCKET_WARM)
		return PHASE_WARM;
	if (age < HOT_TICKS)
		return PHASE_HOT;
	return age < HOT_TICKS + idle || (__s32)(state->closing_until - now) > 0 ? PHASE_CLOSING
										 : PHASE_WARM;
}

/* Fills in what of a choice follows from the transport header. `payload`: offset behind a UDP header; `end`: behind
 * the IP packet. */
static __always_inline void see_transport_of_flow(struct choice *choice, int udp, __u8 tcp_flags,
						  __u32 payload, __u32 end)
{
	choice->udp = udp;
	choice->payload = udp && end >= payload + QUIC_INITIAL_MIN ? payload : 0;
	choice->connects = !udp && (tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
	choice->begins = choice->connects;
	choice->closes = !udp && tcp_flags & (TCP_FIN | TCP_RST);
	choice->tracked = 0;
	choice->reserved = 0;
}

static __always_inline void see_flow(struct choice *choice, const struct packet *pkt)
{
	see_transport_of_flow(choice, pkt->transport == IPPROTO_UDP, pkt->tcp_flags,
			      pkt->l4_offset + UDP_LEN, pkt->l3_offset + pkt->ip_len);
}

/* QUIC: a client's first packets have a long header of type Initial and fill 1,200 bytes (RFC 9000,
 * 14.1, 17.2.2; of version 2 RFC 9369, 3.2). */
static __always_inline int begins_quic(frame *ctx, const struct choice *choice)
{
	__u8 head[5] = {};
	__u32 version;

	if (!choice->payload || frame_load(ctx, choice->payload, head, sizeof(head)))
		return 0;
	version = (__u32)head[1] << 24 | head[2] << 16 | head[3] << 8 | head[4];
	return version && head[0] >> 4 == (version == QUIC_V2 ? 0xd : 0xc);
}

/* A removed backend's index may be another's by now, of another service. */
static __always_inline int is_of_service(const struct generation *gen, __u32 index, __u32 service)
{
	const struct backend *backend = backend_at(gen, index);

	return backend && backend->handle && backend->service == service;
}

/* Of its partitions, an established flow's first: most packets end there. */
static __always_inline struct flow *find_flow(__u64 fingerprint, int *half_open)
{
	struct flow *found = find_on_line(first_line(fingerprint), fingerprint);

	*half_open = 0;
	if (!found)
		found = find_on_line(second_line(fingerprint), fingerprint);
	if (!found)
		found = find_on_line(on_sight_line(fingerprint), fingerprint);
	if (!found) {
		found = find_on_line(half_open_line(fingerprint), fingerprint);
		*half_open = 1;
	}
	return found;
}

/*
 * A flow of this backend's service is in the flow table no more, or found no room in it: nothing is concluded
 * from its silence. Services share the table, so a flood on one may evict a flow of another.
 */
static __always_inline void note_overflow(const struct generation *gen, __u32 index, __u32 now)
{
	const struct backend *backend = backend_at(gen, index);
	struct service_state *state;
	__u32 slot;

	if (!backend || !backend->handle)
		return;
	slot = backend->service;
	state = bpf_map_lookup_elem(&service_states, &slot);
	if (!state)
		return;
	__sync_fetch_and_add(&state->overflow, 1);
	*(volatile __u32 *)&state->closing_until = now + gen->idle;
}

/* The client answered: the connection is real, and its entry is never evicted from here on. */
static __always_inline void establish(const struct generation *gen, struct flow *from,
				      const struct flow *flow, __u32 now)
{
	__u32 none;

	if (enter_on_line(first_line(flow->fingerprint), flow, now, gen->idle, 0, &none) == NO_ROOM &&
	    enter_on_line(second_line(flow->fingerprint), flow, now, gen->idle, 0, &none) == NO_ROOM) {
		if (from->stamp == flow->stamp)
			return;
		note_overflow(gen, flow->backend, now); /* once a tick */
		*(volatile __u32 *)&from->stamp = flow->stamp;
		return; /* it stays half-open, and alive */
	}
	__sync_val_compare_and_swap(&from->fingerprint, flow->fingerprint, 0);
}

static __always_inline void enter_flow(const struct generation *gen, const struct flow *flow,
				       int half_open, __u32 now)
{
	__u32 line = half_open ? half_open_line(flow->fingerprint)
			       : on_sight_line(flow->fingerprint);
	__u32 patience = half_open ? CLOSED_TICKS : gen->idle, lost = flow->backend;

	if (enter_on_line(line, flow, now, patience, 1, &lost) != ENTERED)
		note_overflow(gen, lost, now);
}

/* The entry decides, unless it speaks of a backend that is gone or of a connection that is over. */
static __always_inline int follow(struct flow *entry, const struct generation *gen,
				  struct choice *choice, int half_open, __u32 now)
{
	struct flow flow = { .fingerprint = choice->hash,
			     .backend = *(volatile __u32 *)&entry->backend,
			     .stamp = entry->stamp };
	__u32 quiet = silence(flow.stamp, now), flags = flow.stamp & FLOW_FLAGS;

	if (!is_of_service(gen, flow.backend, choice->service) ||
	    quiet > patience(flow.stamp, half_open ? CLOSED_TICKS : gen->idle) ||
	    (choice->begins && (flags & FLOW_CLOSED || quiet > REUSED_TICKS)) ||
	    *(volatile __u64 *)&entry->fingerprint != choice->hash)
		return 0;
	choice->backend = flow.backend;
	choice->tracked = 1;
	if (explaining)
		return 1;
	if (choice->closes)
		flags |= FLOW_CLOSED;
	flow.stamp = now << FLOW_STAMP_SHIFT | flags;
	if (half_open && !choice->begins)
		establish(gen, entry, &flow, now);
	else if (flow.stamp != entry->stamp)
		*(volatile __u32 *)&entry->stamp = flow.stamp;
	return 1;
}

static __always_inline void track(frame *ctx, const struct generation *gen, struct choice *choice)
{
	__u32 now = flow_ticks(), slot = choice->service;
	struct service_state *state = bpf_map_lookup_elem(&service_states, &slot);
	int udp = choice->udp, half_open;
	enum phase phase;
	struct flow *entry;
	struct flow flow;

	if (!state)
		return;
	if (choice->hash <= FLOW_BUSY)
		choice->hash += FLOW_BUSY + 1;
	choice->begins |= begins_quic(ctx, choice);
	entry = find_flow(choice->hash, &half_open);
	if (entry) {
		if (follow(entry, gen, choice, half_open, now))
			return;
		if (!explaining)
			__sync_val_compare_and_swap(&entry->fingerprint, choice->hash, 0);
	}
	phase = phase_of(state, choice->base, now, gen->idle);
	if (phase == PHASE_WARM)
		return;
	if (!choice->begins && (!udp || passed(state->changed, now) < UDP_HOT_TICKS))
		choice->backend = choice->base & BUCKET_INDEX;
	/* In a hot bucket a connection of the base is known by having no entry. */
	if (explaining || choice->backend == BUCKET_NONE ||
	    (!udp && !choice->begins && phase == PHASE_HOT))
		return;
	flow = (struct flow){ .fingerprint = choice->hash,
			      .backend = choice->backend,
			      .stamp = now << FLOW_STAMP_SHIFT | (udp ? FLOW_UDP : 0) };
	enter_flow(gen, &flow, choice->begins && !udp, now);
}

/* `choice` has the bucket's current owner and its base; the flow's own backend takes its place. */
STAGE track_flow(frame *ctx, const struct generation *gen, struct choice *choice)
{
	if (gen && choice)
		track(ctx, gen, choice);
	return 0;
}
