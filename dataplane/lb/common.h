/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fast lane through the balancer: a common packet to a service, by a way that this CPU knows. A
 * straight line; whatever is not so is left, untouched, to load_balance(), which decides alike
 * (tests/prog/lanes_test.cpp).
 */
#pragma once

#include "lb/choose.h"
#include "lb/l2.h"
#include "lb/service.h"
#include "lb/tunnel.h"
#include "parse/common.h"

/* In place of a verdict: the packet is as it was, load_balance() decides. */
#define NOT_COMMON (NEXT_STAGE + 1)

/* The backend of a flow whose bucket changed not long ago. */
static __always_inline __u32 tracked_backend(struct xdp_md *ctx, const struct generation *gen,
					     const struct service *service, struct bucket bucket,
					     __u64 hash, int udp, __u8 tcp_flags, __u32 payload,
					     __u32 end)
{
	struct choice choice = {
		.hash = hash,
		.service = service->slot,
		.backend = bucket.current,
		.base = bucket.base,
	};

	see_transport_of_flow(&choice, udp, tcp_flags, payload, end);
	track_flow(ctx, gen, &choice);
	return choice.backend;
}

/* `here`: the address to which the frame was sent; from where it now leaves, if it goes to the gateway. */
static __always_inline void write_macs(void *start, const struct way *way, const void *here)
{
	copy_mac(start + ETH_ALEN, way->flags & WAY_BY_GATEWAY ? here : way->by);
	copy_mac(start, way->to);
}

/* 1, and the start of the frame: there was room for an outer header in front of the IP packet. */
static __always_inline int make_room(struct xdp_md *ctx, __u32 outer_len, void **start)
{
	if (bpf_xdp_adjust_head(ctx, -(int)outer_len))
		return 0;
	*start = frame_start(ctx);
	return *start + ETH_HLEN + IPV6_LEN <= frame_end(ctx);
}

/*
 * VERDICT_SEND: it is as it shall leave. VERDICT_DROP: there was no room for the outer header. NOT_COMMON: no
 * way leads to the backend.
 */
static __always_inline __u32 write_frame(struct xdp_md *ctx, const struct generation *gen,
					 const struct backend_count *local,
					 const struct way *way, __u8 tos, __u32 ip_len, __u64 hash)
{
	void *start;

	if (way->form == WAY_TUNNEL4) {
		if (!make_room(ctx, IPV4_MIN_LEN, &start))
			return VERDICT_DROP;
		write_macs(start, way, start + IPV4_MIN_LEN);
		*(__be16 *)(start + 2 * ETH_ALEN) = bpf_htons(ETH_P_IP);
		write_outer4(start + ETH_HLEN, gen, tos, ip_len, hash, local->sum, local->addr[0]);
		return VERDICT_SEND;
	}
	if (way->form == WAY_TUNNEL6) {
		if (!make_room(ctx, IPV6_LEN, &start))
			return VERDICT_DROP;
		write_macs(start, way, start + IPV6_LEN);
		*(__be16 *)(start + 2 * ETH_ALEN) = bpf_htons(ETH_P_IPV6);
		write_outer6(start + ETH_HLEN, gen, tos, ip_len, hash, local->addr);
		return VERDICT_SEND;
	}
	start = frame_start(ctx);
	if (way->form != WAY_SWITCH || start + ETH_HLEN > frame_end(ctx))
		return NOT_COMMON;
	write_macs(start, way, start);
	return VERDICT_SEND;
}

/*
 * Of a packet that the rules accepted: a verdict, NEXT_STAGE if it is for no service, or NOT_COMMON. It drops for
 * want of headroom alone. `l3` is its IP header, whole as its transport header; `inner4`, a constant: of IPv4.
 * Headers are read when they are needed: there are few registers.
 */
static __always_inline __u32 balance_common(struct xdp_md *ctx, const struct generation *gen,
					    const void *l3, __u32 frame_len, __u32 ifindex, int inner4)
{
	const struct iphdr *ip = l3;
	const struct ipv6hdr *ip6 = l3;
	__u32 ip_header_len = inner4 ? IPV4_MIN_LEN : IPV6_LEN;
	const __u8 *l4 = l3 + ip_header_len;
	__u32 ports = bpf_ntohl(*(const __be32 *)l4);
	__u8 proto = inner4 ? ip->protocol : ip6->nexthdr;
	const struct service *service =
		look_up_service(gen, inner4 ? 0 : high_half(ip6->daddr.in6_u.u6_addr32),
				inner4 ? bpf_ntohl(ip->daddr) : low_half(ip6->daddr.in6_u.u6_addr32),
				SERVICE_KEY(ports, proto, inner4 ? 4 : 6));
	__u32 slot, index, ip_len, written;
	struct service_count *all;
	struct backend_count *local;
	const struct way *way;
	struct bucket bucket;
	__u8 tcp_flags = 0, tos;
	int connects;
	__u64 hash;

	if (!service)
		return gen->any_port ? NOT_COMMON : NEXT_STAGE;
	if (!is_in_vlan(service, 0))
		return NOT_COMMON;
	/* That the header is whole was seen; the verifier of 6.1 forgets it. */
	if (proto == IPPROTO_TCP && (void *)l4 + TCP_MIN_LEN <= frame_end(ctx))
		tcp_flags = l4[TCP_FLAGS_OCTET];
	ip_len = inner4 ? bpf_ntohs(ip->tot_len) : IPV6_LEN + bpf_ntohs(ip6->payload_len);
	hash = flow_hash(inner4 ? 0 : high_half(ip6->saddr.in6_u.u6_addr32),
			 inner4 ? bpf_ntohl(ip->saddr) : low_half(ip6->saddr.in6_u.u6_addr32), ports,
			 service->salt);
	bucket = ring_bucket(service, hash);
	index = bucket.current;
	slot = service->slot;
	if (unlikely(index != bucket.base))
		index = tracked_backend(ctx, gen, service, bucket, hash, proto != IPPROTO_TCP,
					tcp_flags, ETH_HLEN + ip_header_len + UDP_LEN,
					ETH_HLEN + ip_len);
	local = bpf_map_lookup_elem(&backend_counts, &index); /* BUCKET_NONE is out of range */
	if (!local)
		return NOT_COMMON;
	way = &local->first;
	if (unlikely(way->from != ifindex)) {
		way = &local->second;
		if (way->from != ifindex)
			return NOT_COMMON;
	}
	if (way->valid != way_valid(gen) || ip_len > way->mtu)
		return NOT_COMMON;
	all = bpf_map_lookup_elem(&service_counts, &slot);
	if (!all)
		return NOT_COMMON;
	tos = inner4 ? ip->tos : bpf_ntohs(*(const __be16 *)ip6) >> 4;
	written = write_frame(ctx, gen, local, way, tos, ip_len, hash);
	if (unlikely(written == NOT_COMMON))
		return NOT_COMMON;
	connects = (tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
	all->packets++;
	all->bytes += frame_len;
	if (unlikely(connects))
		all->connections++;
	if (unlikely(written == VERDICT_DROP)) {
		all->dropped++;
		barrier(); /* or clang finds this and the next counters to be one piece of code */
		return VERDICT_DROP;
	}
	local->packets++;
	local->bytes += frame_len;
	if (unlikely(connects))
		local->connections++;
	if (way->ifindex == ifindex)
		return VERDICT_SEND;
	bpf_redirect(way->ifindex, 0);
	return VERDICT_REDIRECT;
}

/* Functions, so that the stack is free again for load_balance(). */
static __noinline __u32 balance_ipv4(struct xdp_md *ctx, const struct generation *gen,
				     const void *l3, __u32 frame_len, __u32 ifindex)
{
	return balance_common(ctx, gen, l3, frame_len, ifindex, 1);
}

static __noinline __u32 balance_ipv6(struct xdp_md *ctx, const struct generation *gen,
				     const void *l3, __u32 frame_len, __u32 ifindex)
{
	return balance_common(ctx, gen, l3, frame_len, ifindex, 0);
}

/* NOT_COMMON, too, for a frame with a VLAN tag. */
static __always_inline __u32 balance_seen(struct xdp_md *ctx, const struct generation *gen,
					  const struct common *seen, __u32 ifindex)
{
	if (seen->l3_offset != ETH_HLEN)
		return NOT_COMMON;
	return seen->kind < KIND_IPV6_TCP
		       ? balance_ipv4(ctx, gen, seen->l3, seen->frame_len, ifindex)
		       : balance_ipv6(ctx, gen, seen->l3, seen->frame_len, ifindex);
}
