/* SPDX-License-Identifier: GPL-2.0-only */
/* Services, rings, backends and flows. IPv4 addresses stand in the first word, the rest is zero. */
#pragma once

#include "abi.h"

/*
 * A service, or with port 0 all ports of a VIP for that protocol; with port 0 and protocol 0 the VIP
 * itself, whatever its services (ICMP echo, fragments).
 */
struct service_key {
	__be32 vip[4];
	__be16 port;
	__u8 proto;  /* IPPROTO_TCP, IPPROTO_UDP, 0 */
	__u8 family; /* 4, 6 */
};
ABI_ASSERT(service_key, 20);

enum forward_mode {
	FORWARD_IPIP,   /* RFC 2003; IPv6 in IPv6: RFC 2473 */
	FORWARD_L2_DSR, /* destination MAC address rewritten, the packet itself untouched */
};

struct service {
	__u32 slot;    /* index in service_counts; the same as long as the service lives */
	__u32 ring;    /* index in rings */
	__u32 usable;  /* backends with a weight above 0; 0: nothing is sent */
	__u32 forward; /* enum forward_mode */
	__u64 ring_digest; /* of the ring's contents, to know it again. Not read by packets */
};
ABI_ASSERT(service, 24);

/* Maglev table size: the smallest prime above 65,536 (Eisenbud et al., NSDI 2016, 3.4). */
#define RING_SIZE 65537
#define RING_EMPTY 0xffffffff

struct ring {
	__u32 backend[RING_SIZE]; /* index in the generation's backend table */
};
ABI_ASSERT(ring, 4UL * RING_SIZE);

/* One backend of one service. */
struct backend {
	__be32 addr[4];
	__u32 handle; /* never used twice; 0: no backend at this index */
	__u32 service; /* slot of its service */
	__u32 family; /* 4, 6 */
	__u32 reserved;
};
ABI_ASSERT(backend, 32);

/* A flow of one service, from one client. */
struct flow_key {
	__u32 service; /* slot */
	__be16 sport;
	__be16 dport; /* tells flows apart where the service takes any port */
	__be32 client[4];
};
ABI_ASSERT(flow_key, 24);

struct flow {
	__u32 backend; /* index in the backend table */
	__u32 handle;  /* that backend's handle when the flow began; differs: the backend is gone */
};
ABI_ASSERT(flow, 8);

struct service_count {
	__u64 packets; /* that belong to the service */
	__u64 bytes;
	__u64 dropped; /* of these: not sent to a backend */
	__u64 flows;   /* entered into the flow table */
};
ABI_ASSERT(service_count, 32);

struct backend_count {
	__u64 packets; /* sent to it, or handed to the kernel to send */
	__u64 bytes;   /* as received, without the outer header */
	__u64 flows;
	__u64 reserved;
};
ABI_ASSERT(backend_count, 32);

#define SERVICES_DEFAULT 1024
#define BACKENDS_DEFAULT 16384
#define FLOWS_DEFAULT (1 << 18)
/* Rings outlive the services that they were made for by the kept generations. */
#define RINGS_PER_SERVICE GENERATION_SLOTS

#ifdef __bpf__
struct service_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4 * SERVICES_DEFAULT);
	__uint(key_size, sizeof(struct service_key));
	__uint(value_size, sizeof(struct service));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, TABLE_POOL);
	__type(key, __u32);
	__array(values, struct service_map);
} service_tables SEC(".maps");

struct backend_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, BACKENDS_DEFAULT);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct backend));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, TABLE_POOL);
	__type(key, __u32);
	__array(values, struct backend_map);
} backend_tables SEC(".maps");

struct ring_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct ring));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, RINGS_PER_SERVICE * SERVICES_DEFAULT);
	__type(key, __u32);
	__array(values, struct ring_map);
} rings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, FLOWS_DEFAULT);
	__type(key, struct flow_key);
	__type(value, struct flow);
} flows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SERVICES_DEFAULT);
	__type(key, __u32); /* slot */
	__type(value, struct service_count);
} service_counts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, BACKENDS_DEFAULT);
	__type(key, __u32); /* index in the backend table: the same as long as the backend lives */
	__type(value, struct backend_count);
} backend_counts SEC(".maps");
#endif

#ifdef __cplusplus
namespace weir::maps {
inline constexpr PoolMap<service_key, service> service_tables{"service_tables"};
inline constexpr PoolMap<__u32, backend> backend_tables{"backend_tables"};
inline constexpr PoolMap<__u32, ring> rings{"rings"};
inline constexpr Map<flow_key, struct flow> flows{"flows"};
inline constexpr PerCpuMap<__u32, service_count> service_counts{"service_counts"};
inline constexpr PerCpuMap<__u32, backend_count> backend_counts{"backend_counts"};
} // namespace weir::maps
#endif
