/* SPDX-License-Identifier: GPL-2.0-only */
/* Whose packet is it? The service table has two places for each key, and most are at the first. */
#pragma once

#include "packet.h"
#include "parse/link.h"
#include "maps/balancer.h"
#include "maps/flow_hash.h"
#include "maps/generation.h"

/* Places in a service table minus 1; a power of two minus 1, set before load. */
const volatile __u32 service_mask = 8 * SERVICES_DEFAULT - 1;

/* What arrives in another VLAN is none of the service's, and none of this node's to move to another link. */
static __always_inline int is_in_vlan(const struct service *at, __u16 vlan)
{
	return at->vlan == (vlan & VLAN_ID_MASK) || at->vlan == SERVICE_ANY_VLAN;
}

static __always_inline int is_service(const struct service *at, __u64 vip_hi, __u64 vip_lo, __u32 key)
{
	return at->key == key && at->vip_lo == vip_lo && at->vip_hi == vip_hi;
}

static __always_inline const struct service *look_up_service(const struct generation *gen,
							     __u64 vip_hi, __u64 vip_lo, __u32 key)
{
	__u64 hash = service_hash(vip_hi, vip_lo, key, gen->service_seed);
	__u32 place = gen->service_table + service_first(hash, service_mask);
	const struct service *at = bpf_map_lookup_elem(&service_tables, &place);

	if (!at || is_service(at, vip_hi, vip_lo, key))
		return at;
	if (likely(!(at->flags & SERVICE_MOVED)))
		return NULL;
	place = gen->service_table + service_second(hash, service_mask);
	at = bpf_map_lookup_elem(&service_tables, &place);
	return at && is_service(at, vip_hi, vip_lo, key) ? at : NULL;
}

/* The service of a TCP or UDP packet: by its port, else one that takes any port. */
static __always_inline const struct service *find_service(const struct generation *gen,
							  const struct packet *pkt)
{
	__u32 family = is_ipv4(pkt) ? 4 : 6;
	const struct service *found =
		look_up_service(gen, pkt->daddr_hi, pkt->daddr_lo,
				SERVICE_KEY(pkt->dport, pkt->transport, family));

	if (!found && unlikely(gen->any_port))
		found = look_up_service(gen, pkt->daddr_hi, pkt->daddr_lo,
					SERVICE_KEY(0, pkt->transport, family));
	return found && is_in_vlan(found, pkt->vlan) ? found : NULL;
}

static __always_inline int is_vip(const struct generation *gen, const struct packet *pkt)
{
	const struct service *vip = look_up_service(gen, pkt->daddr_hi, pkt->daddr_lo,
						    SERVICE_KEY(0, 0, is_ipv4(pkt) ? 4 : 6));

	return vip && is_in_vlan(vip, pkt->vlan);
}
