/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

#include "packet.h"
#include "maps/balancer.h"
#include "maps/generation.h"

static __always_inline struct service_key service_key(const struct packet *pkt, __be16 port,
						      __u8 proto)
{
	struct service_key key = { .port = port, .proto = proto, .family = pkt->family };

	__builtin_memcpy(key.vip, pkt->dst, sizeof(key.vip));
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
	struct service_key key = service_key(pkt, pkt->dport, pkt->proto);
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
