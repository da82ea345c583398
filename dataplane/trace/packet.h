/* SPDX-License-Identifier: GPL-2.0-only */
/* Addresses and ports of what the kernel holds: a buffer, a socket, a frame. Unreadable: all 0. */
#pragma once

#include <bpf/bpf_core_read.h>

#include "trace/work.h"

/* Of the kernel's structures only what is read here; libbpf finds where it lies. */
struct sk_buff {
	unsigned char *head;
	__u16 network_header;
	__u16 transport_header;
	__u16 mac_header;
} __attribute__((preserve_access_index));

struct sock_common {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num;
	unsigned short skc_family;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
} __attribute__((preserve_access_index));

struct sock {
	struct sock_common __sk_common;
	__u16 sk_protocol;
} __attribute__((preserve_access_index));

struct xdp_buff {
	void *data;
	void *data_end;
} __attribute__((preserve_access_index));

static __always_inline void trace_set_ipv4(__u64 *tuple, __be32 source, __be32 destination)
{
	tuple[TUPLE_FAMILY] = AF_INET;
	tuple[TUPLE_SADDR_HIGH] = tuple[TUPLE_DADDR_HIGH] = 0;
	tuple[TUPLE_SADDR_LOW] = 0xffff00000000ULL | bpf_ntohl(source);
	tuple[TUPLE_DADDR_LOW] = 0xffff00000000ULL | bpf_ntohl(destination);
}

static __always_inline void trace_set_ipv6(__u64 *tuple, const __be64 *source,
					   const __be64 *destination)
{
	tuple[TUPLE_FAMILY] = AF_INET6;
	tuple[TUPLE_SADDR_HIGH] = bpf_be64_to_cpu(source[0]);
	tuple[TUPLE_SADDR_LOW] = bpf_be64_to_cpu(source[1]);
	tuple[TUPLE_DADDR_HIGH] = bpf_be64_to_cpu(destination[0]);
	tuple[TUPLE_DADDR_LOW] = bpf_be64_to_cpu(destination[1]);
}

static __always_inline bool trace_has_ports(__u64 protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP ||
	       protocol == IPPROTO_UDPLITE || protocol == IPPROTO_DCCP;
}

static __always_inline __u64 *trace_tuple(struct trace_work *work)
{
	return &work->context[CONTEXT_FAMILY];
}

static __always_inline void trace_forget_tuple(__u64 *tuple)
{
	for (int each = 0; each < TUPLE_SIZE; each++)
		tuple[each] = 0;
}

/*
 * An IP packet that begins at `ip`. Extension headers are not followed: their packets have no ports
 * here, but where the kernel has found the transport header (`transport`, 0: it has not).
 * The address of the IP header inside of it, 0 if there is none (RFC 2003, RFC 2473, RFC 4213).
 */
static __always_inline __u64 trace_read_ip(__u64 *tuple, __u64 ip, __u64 transport)
{
	__u8 first = 0;
	__be16 ports[2] = {};

	bpf_probe_read_kernel(&first, sizeof(first), (void *)ip);
	if (first >> 4 == 4) {
		struct iphdr header;

		if (bpf_probe_read_kernel(&header, sizeof(header), (void *)ip))
			return 0;
		trace_set_ipv4(tuple, header.saddr, header.daddr);
		tuple[TUPLE_PROTOCOL] = header.protocol;
		if (header.frag_off & bpf_htons(0x1fff))
			return 0; /* a later fragment has no ports */
		if (!transport)
			transport = ip + (first & 0xf) * 4;
	} else if (first >> 4 == 6) {
		struct ipv6hdr header;

		if (bpf_probe_read_kernel(&header, sizeof(header), (void *)ip))
			return 0;
		trace_set_ipv6(tuple, (const __be64 *)&header.saddr, (const __be64 *)&header.daddr);
		tuple[TUPLE_PROTOCOL] = header.nexthdr;
		if (!transport)
			transport = ip + sizeof(header);
	} else {
		return 0;
	}
	if (tuple[TUPLE_PROTOCOL] == IPPROTO_IPIP || tuple[TUPLE_PROTOCOL] == IPPROTO_IPV6)
		return transport;
	if (trace_has_ports(tuple[TUPLE_PROTOCOL]) &&
	    !bpf_probe_read_kernel(ports, sizeof(ports), (void *)transport)) {
		tuple[TUPLE_SPORT] = bpf_ntohs(ports[0]);
		tuple[TUPLE_DPORT] = bpf_ntohs(ports[1]);
	}
	return 0;
}

static __always_inline void trace_forget_packet(struct trace_work *work)
{
	trace_forget_tuple(trace_tuple(work));
	work->inside = 0;
}

/* Ethernet, and up to two VLAN tags. */
static __always_inline void trace_read_ethernet(struct trace_work *work, __u64 frame)
{
	__u64 at = frame + 2 * ETH_ALEN;
	__be16 type = 0;

	for (int tags = 0; tags < 3; tags++) {
		if (bpf_probe_read_kernel(&type, sizeof(type), (void *)at))
			return;
		if (type != bpf_htons(ETH_P_8021Q) && type != bpf_htons(ETH_P_8021AD))
			break;
		at += 4;
	}
	if (type == bpf_htons(ETH_P_IP) || type == bpf_htons(ETH_P_IPV6))
		work->inside = trace_read_ip(trace_tuple(work), at + 2, 0);
}

static __noinline void trace_read_packet(struct trace_work *work, __u64 skb_address)
{
	struct sk_buff *skb = (void *)skb_address;
	__u64 head = (__u64)BPF_CORE_READ(skb, head);
	__u16 mac = BPF_CORE_READ(skb, mac_header);
	__u16 network = BPF_CORE_READ(skb, network_header);
	__u16 transport = BPF_CORE_READ(skb, transport_header);

	trace_forget_packet(work);
	/*
	 * Not set yet is 0xffff for the MAC and transport headers, 0 for the network header: as a driver
	 * hands it over. The transport header may also still be the network header's.
	 */
	if (head && !network && mac && mac != 0xffff)
		trace_read_ethernet(work, head + mac);
	else if (head)
		work->inside =
			trace_read_ip(trace_tuple(work), head + network,
				      transport == 0xffff || transport <= network ? 0 : head + transport);
}

static __noinline void trace_read_socket(struct trace_work *work, __u64 address)
{
	struct sock *sk = (void *)address;
	__u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);

	trace_forget_packet(work);
	if (family == AF_INET) {
		trace_set_ipv4(trace_tuple(work), BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr),
			       BPF_CORE_READ(sk, __sk_common.skc_daddr));
	} else if (family == AF_INET6) {
		__be64 from[2] = {}, to[2] = {};

		bpf_core_read(from, sizeof(from), &sk->__sk_common.skc_v6_rcv_saddr);
		bpf_core_read(to, sizeof(to), &sk->__sk_common.skc_v6_daddr);
		trace_set_ipv6(trace_tuple(work), from, to);
	} else {
		return;
	}
	work->context[CONTEXT_PROTOCOL] = BPF_CORE_READ(sk, sk_protocol);
	work->context[CONTEXT_SPORT] = BPF_CORE_READ(sk, __sk_common.skc_num);
	work->context[CONTEXT_DPORT] = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
}

static __noinline void trace_read_frame(struct trace_work *work, __u64 address)
{
	struct xdp_buff *xdp = (void *)address;

	trace_forget_packet(work);
	trace_read_ethernet(work, (__u64)BPF_CORE_READ(xdp, data));
}

static __always_inline bool trace_is_of(const struct trace_flow *flow, const __u64 *tuple)
{
	for (int each = 0; each < TUPLE_SIZE; each++)
		if ((tuple[each] & flow->mask[each]) != flow->value[each])
			return false;
	return true;
}

/* The packet, or what a tunnel has packed into it. */
static __noinline bool trace_in_flow(struct trace_work *work, __u32 index)
{
	const struct trace_flow *flow = bpf_map_lookup_elem(&trace_flows, &index);

	if (!flow)
		return false;
	if (trace_is_of(flow, trace_tuple(work)))
		return true;
	if (!work->inside)
		return false;
	trace_forget_tuple(work->inner);
	trace_read_ip(work->inner, work->inside, 0);
	return trace_is_of(flow, work->inner);
}
