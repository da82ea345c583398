/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fast lane through the balancer: a common packet to a service whose bucket is at rest, by a next hop
 * that this CPU knows. A straight line; whatever is not so is left, untouched, to load_balance(), which
 * decides alike (tests/prog/lanes_test.cpp).
 */
#pragma once

#include "lb/choose.h"
#include "lb/l2.h"
#include "lb/service.h"
#include "lb/tunnel.h"
#include "parse/common.h"

/* The way out is known without a question to the kernel. */
static __always_inline int is_way_known(const struct xdp_md *ctx, const struct hook_count *count,
					const struct next_hop *hop, int by_gateway, int tunnel)
{
	__u32 tick = hop_tick();

	if (by_gateway)
		return count->mtu_tick == tick;
	return hop->tick == tick && hop->from == frame_interface(ctx) && (tunnel || hop->on_link);
}

/* In place of an outcome: nothing was done, load_balance() decides. */
#define NOT_AT_REST outcome(NEXT_STAGE + 1, 0)

/* TCP with SYN and without ACK. That the header is whole was seen; the verifier of 6.1 forgets it. */
static __always_inline int is_syn(const struct xdp_md *ctx, int tcp, const void *l4)
{
	return tcp && l4 + TCP_MIN_LEN <= frame_end(ctx) &&
	       (((const __u8 *)l4)[TCP_FLAGS_OCTET] & (TCP_SYN | TCP_ACK)) == TCP_SYN;
}

static __always_inline struct outcome tunnel_at_rest(struct xdp_md *ctx, const struct generation *gen,
						     const struct backend *to,
						     const struct next_hop *hop, __u8 tos,
						     __u32 ip_len, __u64 hash)
{
	int ipv4 = to->family == 4;
	__u32 outer_len = ipv4 ? IPV4_MIN_LEN : IPV6_LEN;
	void *start;

	if (bpf_xdp_adjust_head(ctx, -(int)outer_len))
		return drop(REASON_NO_HEADROOM);
	start = frame_start(ctx);
	if (start + ETH_HLEN + IPV6_LEN > frame_end(ctx)) /* never */
		return drop(REASON_NO_HEADROOM);
	/* By a gateway: what was the destination is this interface; it stands where the frame began. */
	copy_mac(start + ETH_ALEN, gen->has_gateway ? start + outer_len : hop->by);
	copy_mac(start, gen->has_gateway ? gen->gateway : hop->to);
	*(__be16 *)(start + 2 * ETH_ALEN) = ether_type(ipv4);
	if (ipv4)
		write_outer4(start + ETH_HLEN, gen, tos, ip_len, hash, to);
	else
		write_outer6(start + ETH_HLEN, gen, tos, ip_len, hash, to);
	return gen->has_gateway ? outcome(VERDICT_SEND, REASON_SERVICE) : send_by(ctx, hop->ifindex);
}

static __always_inline struct outcome switch_at_rest(struct xdp_md *ctx, const struct next_hop *hop)
{
	void *start = frame_start(ctx);

	if (start + ETH_HLEN > frame_end(ctx)) /* never */
		return drop(REASON_SPLIT_HEADERS);
	copy_mac(start, hop->to);
	copy_mac(start + ETH_ALEN, hop->by);
	return send_by(ctx, hop->ifindex);
}

/*
 * Of a packet that the rules accepted. `l3` is its IP header, whole as its transport header; `seen`, its
 * kind in the upper half and its length in the lower; `inner4`, a constant: of IPv4. Headers are read when
 * they are needed: there are few registers.
 */
static __always_inline struct outcome balance_common(struct xdp_md *ctx, const struct generation *gen,
						     struct hook_count *count, const void *l3,
						     __u64 seen, int inner4)
{
	const struct iphdr *ip = l3;
	const struct ipv6hdr *ip6 = l3;
	const void *l4 = l3 + (inner4 ? IPV4_MIN_LEN : IPV6_LEN);
	const struct udphdr *ports = l4;
	int tcp = seen >> 32 == (inner4 ? KIND_IPV4_TCP : KIND_IPV6_TCP);
	const struct service *service =
		look_up_service(gen, inner4 ? 0 : high_half(ip6->daddr.in6_u.u6_addr32),
				inner4 ? bpf_ntohl(ip->daddr) : low_half(ip6->daddr.in6_u.u6_addr32),
				SERVICE_KEY(bpf_ntohs(ports->dest), tcp ? IPPROTO_TCP : IPPROTO_UDP,
					    inner4 ? 4 : 6));
	__u32 slot, index, ip_len, outer_len = 0, connects;
	struct service_count *all;
	struct backend_count *local;
	const struct backend *to;
	struct bucket bucket;
	struct outcome end;
	int tunnel;
	__u64 hash;
	__u8 tos;

	if (!service)
		return gen->any_port ? NOT_AT_REST : next_stage();
	hash = inner4 ? flow_hash(0, bpf_ntohl(ip->saddr), bpf_ntohs(ports->source),
				  bpf_ntohs(ports->dest), service->salt)
		      : flow_hash(high_half(ip6->saddr.in6_u.u6_addr32),
				  low_half(ip6->saddr.in6_u.u6_addr32), bpf_ntohs(ports->source),
				  bpf_ntohs(ports->dest), service->salt);
	bucket = ring_bucket(service, hash);
	index = bucket.current;
	if (index != bucket.base || index == BUCKET_NONE || !is_in_vlan(service, 0))
		return NOT_AT_REST;
	tunnel = service->forward != FORWARD_L2_DSR;
	slot = service->slot;
	to = backend_at(gen, index);
	if (!to)
		return NOT_AT_REST;
	local = bpf_map_lookup_elem(&backend_counts, &index);
	if (!local)
		return NOT_AT_REST;
	all = bpf_map_lookup_elem(&service_counts, &slot);
	if (!all)
		return NOT_AT_REST;
	if (tunnel) {
		outer_len = to->family == 4 ? IPV4_MIN_LEN : IPV6_LEN;
		if (!(gen->has_source & (to->family == 4 ? HAS_SOURCE4 : HAS_SOURCE6)))
			return NOT_AT_REST;
	}
	ip_len = inner4 ? bpf_ntohs(ip->tot_len) : IPV6_LEN + bpf_ntohs(ip6->payload_len);
	if (!is_way_known(ctx, count, &local->hop, tunnel && gen->has_gateway, tunnel) ||
	    ip_len + outer_len > (tunnel && gen->has_gateway ? count->mtu : local->hop.mtu))
		return NOT_AT_REST;
	tos = inner4 ? ip->tos : bpf_ntohs(*(const __be16 *)ip6) >> 4;
	connects = is_syn(ctx, tcp, l4);

	end = tunnel ? tunnel_at_rest(ctx, gen, to, &local->hop, tos, ip_len, hash)
		     : switch_at_rest(ctx, &local->hop);
	all->packets++;
	all->bytes += (__u32)seen;
	all->connections += connects;
	if (end.verdict == VERDICT_DROP) {
		all->dropped++;
		return end;
	}
	local->packets++;
	local->bytes += (__u32)seen;
	local->connections += connects;
	return end;
}

/* Functions, so that the stack is free again for load_balance(). */
static __noinline __u64 balance_ipv4(struct xdp_md *ctx, const struct generation *gen,
				     struct hook_count *count, const void *l3, __u64 seen)
{
	return pack(balance_common(ctx, gen, count, l3, seen, 1));
}

static __noinline __u64 balance_ipv6(struct xdp_md *ctx, const struct generation *gen,
				     struct hook_count *count, const void *l3, __u64 seen)
{
	return pack(balance_common(ctx, gen, count, l3, seen, 0));
}

/* 1, and the packet's end; 0: it is for load_balance(). */
static __always_inline int balance_at_rest(struct xdp_md *ctx, const struct generation *gen,
					   struct hook_count *count, const struct common *seen,
					   struct outcome *end)
{
	__u64 what = (__u64)seen->kind << 32 | seen->frame_len;

	if (seen->l3_offset != ETH_HLEN)
		return 0;
	*end = unpack(seen->kind < KIND_IPV6_TCP ? balance_ipv4(ctx, gen, count, seen->l3, what)
						 : balance_ipv6(ctx, gen, count, seen->l3, what));
	return end->verdict <= NEXT_STAGE;
}
