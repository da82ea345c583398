/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

#include "packet.h"
#include "maps/balancer.h"
#include "maps/generation.h"

/* An address as the headers have it; IPv4 in the first word. */
static __always_inline void write_address(__be32 *to, const struct packet *pkt, __u64 hi, __u64 lo)
{
	if (is_ipv4(pkt)) {
		to[0] = bpf_htonl(lo);
		to[1] = to[2] = to[3] = 0;
		return;
	}
	to[0] = bpf_htonl(hi >> 32);
	to[1] = bpf_htonl(hi);
	to[2] = bpf_htonl(lo >> 32);
	to[3] = bpf_htonl(lo);
}

static __always_inline struct service_key service_key(const struct packet *pkt, __u16 port,
						      __u8 proto)
{
	struct service_key key = { .port = bpf_htons(port),
				   .proto = proto,
				   .family = is_ipv4(pkt) ? 4 : 6 };

	write_address(key.vip, pkt, pkt->daddr_hi, pkt->daddr_lo);
	return key;
}

/* Keys are copied to the stack: kernel 6.1 takes none from memory that a stage was handed. */
static __always_inline void *service_table(const struct generation *gen)
{
	__u32 index = gen->service_table;

	return bpf_map_lookup_elem(&service_tables, &index);
}

/* The service of a TCP or UDP packet: by its port, else one that takes any port. */
static __always_inline const struct service *find_service(const struct generation *gen,
							  const struct packet *pkt)
{
	void *table = service_table(gen);
	struct service_key key = service_key(pkt, pkt->dport, pkt->transport);
	const struct service *found;

	if (!table)
		return NULL;
	found = bpf_map_lookup_elem(table, &key);
	if (found || !gen->any_port)
		return found;
	key.port = 0;
	return bpf_map_lookup_elem(table, &key);
}

static __always_inline int is_vip(const struct generation *gen, const struct packet *pkt)
{
	void *table = service_table(gen);
	struct service_key key = service_key(pkt, 0, 0);

	return table && bpf_map_lookup_elem(table, &key);
}
