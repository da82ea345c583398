/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Services, rings, backends and tracked flows. Why a flow is tracked only after a change, and when
 * no more: docs/explanation/balancer.md.
 */
#pragma once

#include "abi.h"

/* What a packet is looked up by: destination port << 16 | IP protocol << 8 | family (4, 6). */
#define SERVICE_KEY(port, proto, family) ((__u32)(port) << 16 | (__u32)(proto) << 8 | (family))

enum service_flag {
	SERVICE_HERE = 1 << 0, /* else this place is empty */
	SERVICE_MOVED = 1 << 1, /* a service whose first place this is lies at its second one */
};

/* Of a VIP whose services are in several VLANs. */
#define SERVICE_ANY_VLAN 0xffffffff

/*
 * A service; or with port 0 all ports of a VIP for that protocol; with port 0 and protocol 0 the VIP
 * itself, whatever its services (ICMP echo, fragments). One cache line.
 */
struct service {
	__u64 vip_hi; /* as struct packet has addresses */
	__u64 vip_lo;
	__u64 salt; /* of flow_hash(): from the configured seed and the service's name */
	__u32 key;  /* SERVICE_KEY */
	__u32 flags; /* enum service_flag */
	__u32 slot;  /* index in service_counts and service_states; the same as long as it lives */
	__u32 ring;  /* its first bucket in rings */
	__u32 ring_mask; /* number of buckets - 1: a power of two - 1 */
	__u32 forward;   /* enum forward_mode */
	__u32 vlan;	 /* identifier of the outermost tag of its frames; 0: untagged; SERVICE_ANY_VLAN */
	__u32 reserved[3];
};
ABI_ASSERT(service, 64);

enum forward_mode {
	FORWARD_IPIP,   /* RFC 2003; IPv6 in IPv6: RFC 2473 */
	FORWARD_L2_DSR, /* destination MAC address rewritten, the packet itself untouched */
};

/*
 * A bucket of a service's ring: who owns the flows that hash to it. `current` owns new flows, `base`
 * those that no entry of the flow table names. At rest the two words are equal, and the flow table is
 * neither read nor written.
 */
struct bucket {
	__u32 current; /* index in the generation's backend table; BUCKET_NONE */
	__u32 base;    /* such an index, or'ed with BUCKET_TRACKED or BUCKET_WARM */
} __attribute__((aligned(8))); /* read and written as one word */
ABI_ASSERT(bucket, 8);

#define BUCKET_NONE 0x3fffffff
#define BUCKET_INDEX 0x3fffffff
#define BUCKET_TRACKED 0x40000000 /* changed not long ago; struct service_state says when */
#define BUCKET_WARM 0x80000000    /* `base` is `current`; entries may still name another */

#define RING_PAGE 128 /* buckets; a ring begins at a multiple, and is as long as one */
#define RING_BUCKETS_MAX 65536

/* When a service's ring changed: what its tracked buckets do follows from it. */
struct service_state {
	__u32 changed; /* ticks of CLOCK_MONOTONIC */
	__u32 closing_until; /* at least: an entry that still lived was lost, or a change is under way */
	__u64 overflow; /* flows that found no room in the flow table */
};
ABI_ASSERT(service_state, 16);

/* One backend of one service. */
struct backend {
	__be32 addr[4];
	__u32 handle;  /* never used twice; 0: no backend at this index */
	__u32 service; /* slot of its service */
	__u32 family;  /* 4, 6 */
	__u32 sum;     /* IPv4: RFC 1071 sum over what is the same in every outer header to it */
};
ABI_ASSERT(backend, 32);

enum way_form {
	WAY_NONE,
	WAY_TUNNEL4,
	WAY_TUNNEL6,
	WAY_SWITCH,
	WAY_OFF_LINK, /* FORWARD_L2_DSR, but the backend is behind a router: no way at all */
};

enum way_flag {
	WAY_BY_GATEWAY = 1 << 0, /* back to the fixed gateway: the source address is the frame's destination */
};

/*
 * How packets that arrive at one interface leave for a backend: what the configuration and the kernel's
 * tables of routes and neighbours said not long ago, in the form in which a packet needs it.
 */
struct way {
	__u64 valid; /* when: jiffies >> 5, cut to 32 bits, << 32 | lower half of the generation's number; 0: never */
	__u32 from;  /* the interface at which they arrive */
	__u32 ifindex;
	__u16 mtu;   /* bytes of the IP packet that arrived: without the outer header */
	__u8 form;   /* enum way_form */
	__u8 flags;  /* enum way_flag */
	__u8 to[6];  /* MAC addresses */
	__u8 by[6];
};
ABI_ASSERT(way, 32);

/*
 * What one CPU keeps of a backend. What most packets need is the first cache line. The second way is there
 * so that two interfaces whose packets come to one CPU do not take it from each other.
 */
struct backend_count {
	__u64 packets;	   /* sent to it, or handed to the kernel to send */
	__u64 bytes;	   /* as received, without the outer header */
	__u64 connections; /* that began: SYNs */
	struct way first;
	__u32 sum;	   /* as struct backend has it; of the ways that are valid */
	__be32 addr[4];	   /* the same */
	__u32 confirmed;   /* ticks: when the kernel last sent a packet itself, and so checked the neighbour */
	struct way second;
	__u64 reserved[2];
};
ABI_ASSERT(backend_count, 128);

/* Not the sum of its backends' counters: those go with the backend, these stay. */
struct service_count {
	__u64 packets; /* that belong to the service */
	__u64 bytes;
	__u64 dropped;	   /* of these: not sent to a backend */
	__u64 connections; /* that began: SYNs */
};
ABI_ASSERT(service_count, 32);

/* Room for a question to the kernel's tables of routes, struct bpf_fib_lookup: the stack has none left. */
struct route_question {
	__u64 words[8];
};
ABI_ASSERT(route_question, 64);

/* An entry of the flow table. */
struct flow {
	__u64 fingerprint; /* flow_hash(); 0: empty; FLOW_BUSY: being written */
	__u32 backend;     /* index in the backend table */
	__u32 stamp;       /* ticks when last seen << FLOW_STAMP_SHIFT | enum flow_flag */
};
ABI_ASSERT(flow, 16);
#define FLOW_BUSY 1

/* Times are in ticks of 2^30 ns, a little more than a second; a stamp has 28 bits of them. */
#define FLOW_TICK_SHIFT 30
#define FLOW_STAMP_SHIFT 4
#define CLOSED_TICKS 60	    /* after FIN or RST; and a half-open flow */
#define UDP_TICKS 120	    /* silence of a UDP flow */
#define REUSED_TICKS 60	    /* a SYN on a flow silent for so long begins another */
#define HOT_TICKS 60	    /* after a change, before flows are entered on sight */
#define UDP_HOT_TICKS 30    /* after a change, UDP flows that are not entered belong to `base` */

enum flow_flag {
	FLOW_CLOSED = 1 << 0, /* FIN or RST was seen */
	FLOW_UDP = 1 << 1,
};
#define FLOW_FLAGS ((1 << FLOW_STAMP_SHIFT) - 1)

#define FLOWS_A_LINE 4
struct flow_line {
	struct flow flow[FLOWS_A_LINE];
};
ABI_ASSERT(flow_line, 64);

#define SERVICES_DEFAULT 1024
#define BACKENDS_DEFAULT 16384
#define BUCKETS_DEFAULT (1 << 21)
#define FLOWS_DEFAULT (1 << 18)

#ifdef __bpf__
/*
 * TABLE_POOL hash tables, one behind the other: a service is at one of two places of its generation's table
 * that follow from its key (maps/flow_hash.h). A pool of maps would cost every packet two look-ups.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, TABLE_POOL * 8 * SERVICES_DEFAULT);
	__type(key, __u32); /* struct generation, service_table + place */
	__type(value, struct service);
} service_tables SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, TABLE_POOL * BACKENDS_DEFAULT);
	__type(key, __u32); /* struct generation, backend_table + index */
	__type(value, struct backend);
} backend_tables SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, BUCKETS_DEFAULT);
	__type(key, __u32);
	__type(value, struct bucket);
} rings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, SERVICES_DEFAULT);
	__type(key, __u32); /* slot */
	__type(value, struct service_state);
} service_states SEC(".maps");

/*
 * Three partitions, one behind the other: FLOWS_DEFAULT established flows, as many that were entered
 * on sight, and a quarter of it half-open ones. Only the last two ever evict.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 9 * FLOWS_DEFAULT / 4 / FLOWS_A_LINE);
	__type(key, __u32);
	__type(value, struct flow_line);
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

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct route_question);
} route_questions SEC(".maps");
#endif

#ifdef __cplusplus
namespace weir::maps {
inline constexpr BankMap<service> service_tables{"service_tables"};
inline constexpr BankMap<backend> backend_tables{"backend_tables"};
inline constexpr Map<__u32, bucket> rings{"rings"};
inline constexpr Map<__u32, service_state> service_states{"service_states"};
inline constexpr Map<__u32, flow_line> flows{"flows"};
inline constexpr PerCpuMap<__u32, service_count> service_counts{"service_counts"};
inline constexpr PerCpuMap<__u32, backend_count> backend_counts{"backend_counts"};
} // namespace weir::maps
#endif
