/* SPDX-License-Identifier: GPL-2.0-only */
/* What is particular to an interface, and what it saw. */
#pragma once

#include "abi.h"
#include "reason.h"

enum role {
	ROLE_BALANCER, /* filter, then balance: also the role of an interface without an entry */
	ROLE_FILTER,   /* filter only */
	ROLE_DECAP,    /* remove IPIP, IP6IP6, 4in6, 6in4 outer headers, then filter */
};

enum hook {
	HOOK_XDP,
	HOOK_TC_INGRESS,
	HOOK_TC_EGRESS,
	HOOK_COUNT,
};

struct iface {
	__u64 name_hi; /* FACT_IFNAME_HI, FACT_IFNAME_LO */
	__u64 name_lo;
	__u32 ifindex; /* 0: nothing was ever here; IFACE_REMOVED: look further */
	__u32 slot;    /* its rows in hook_counts: slot * HOOK_COUNT + hook */
	__u8 mac[6];   /* when it was attached: frames to others are not balanced */
	__u8 role;     /* enum role */
	__u8 hooks;    /* bit per enum hook: what is attached */
};
ABI_ASSERT(iface, 32);
#define IFACE_REMOVED 0xffffffff

/* Places in `ifaces`: a power of two, four times IFACES_MAX, so that the first look-up finds most. */
#define IFACE_PLACES 1024

/* Slot 0 counts for every interface without an entry, BPF_PROG_TEST_RUN among them. */
#define IFACES_MAX 256

#define TRANSMITTERS_MAX 16384

struct traffic {
	__u64 packets;
	__u64 bytes; /* as received, whatever a stage added or removed */
};
ABI_ASSERT(traffic, 16);

/*
 * The books of one hook of one interface. `received` is counted on entry, the verdict on exit, so
 * that a packet lost between the two shows as a difference.
 */
struct hook_count {
	struct traffic received;
	struct traffic verdict[VERDICT_COUNT];
	struct traffic dropped[REASON_COUNT]; /* sums up to verdict[VERDICT_DROP] */
	__u64 seen[CLASS_COUNT];              /* packets of each odd class, whatever became of them */
	__u64 handed_over; /* of the passed: the kernel sends them to their next hop */
	__u64 decapsulated;
};
ABI_ASSERT(hook_count, 16 * (1 + VERDICT_COUNT + REASON_COUNT) + 8 * (CLASS_COUNT + 2));

#ifdef __bpf__
/*
 * A hash table by open addressing: an interface is at ifindex % IFACE_PLACES, or at the first place
 * after it that was free. There are never more than IFACES_MAX, so a search ends after that many.
 */
struct iface ifaces[IFACE_PLACES + 1] SEC(".data.ifaces"); /* the last: of interfaces without an entry, all 0 */

/*
 * Interfaces that can send what XDP redirects to them, when Weir last looked. What goes to others would be
 * lost without a trace, and bpf_redirect() does not say so. Read when a next hop is refreshed, not for
 * each packet.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, TRANSMITTERS_MAX);
	__type(key, __u32); /* ifindex */
	__type(value, __u8);
} transmitters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, IFACES_MAX * HOOK_COUNT);
	__type(key, __u32);
	__type(value, struct hook_count);
} hook_counts SEC(".maps");
#endif

#ifdef __cplusplus
namespace weir::maps {
inline constexpr Map<__u32, iface> ifaces{"ifaces"};
inline constexpr Map<__u32, __u8> transmitters{"transmitters"};
inline constexpr PerCpuMap<__u32, hook_count> hook_counts{"hook_counts"};
} // namespace weir::maps
#endif
