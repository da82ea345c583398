/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * `weir capture`: packets as they enter and leave a program. A packet is copied on entry into its
 * CPU's bench; at the end, when its verdict is known, the record goes into the ring, or nowhere.
 *
 * The switch is CAPTURE_ON. Whoever captures renews `until`; the
 * data plane turns a switch off whose time is over.
 */
#pragma once

#include "abi.h"

/*
 * The capture switch, in control.live. With it that is no slot, so that the look-up which every
 * packet makes anyway finds nothing, and the packet takes the way of those that are looked at.
 */
#define CAPTURE_ON 0x80000000

/* The most octets of a packet that are copied: a jumbo frame with tags. */
#define CAPTURE_SNAP 12288

#define CAPTURE_NO_RULE 0xffffffff /* FW_NO_SLOT */
#define CAPTURE_NO_SERVICE 0xffffffff

enum capture_point {
	CAPTURE_ENTRY = 1 << 0,
	CAPTURE_EXIT = 1 << 1,
};

struct capture_settings {
	__u64 until;    /* ns of CLOCK_MONOTONIC */
	__u32 ifindex;  /* 0: any */
	__u32 hooks;    /* bit per enum hook */
	__u32 points;   /* enum capture_point */
	__u32 snap;     /* octets of each packet, up to CAPTURE_SNAP */
	__u32 verdicts; /* bit per enum verdict; other people's programs: per XDP_* */
	__u32 rule;     /* slot; CAPTURE_NO_RULE: any */
};
ABI_ASSERT(capture_settings, 32);

/* What is in the ring, followed by the octets on entry and those on exit. */
struct capture_record {
	__u64 entered;    /* ns of CLOCK_MONOTONIC */
	__u64 left;
	__u64 id;         /* CPU << 48 | number of the packet on that CPU */
	__u64 generation; /* whose rules judged it; 0: none */
	__u32 ifindex;
	__u32 hook;    /* enum hook */
	__u32 verdict; /* enum verdict; other people's programs: VERDICT_COUNT */
	__u32 reason;  /* enum reason */
	__u32 rule;    /* slot of the rule that decided; CAPTURE_NO_RULE: none */
	__u32 action;  /* XDP_*, TC_ACT_* */
	__u32 service; /* slot of the service that it is for; CAPTURE_NO_SERVICE: none */
	__u32 backend; /* where there is a service: index in the backend table; CAPTURE_NO_SERVICE: none was left */
	__u16 by_ring; /* 1: the ring chose the backend; 0: its flow had it already */
	__u16 new_flow; /* 1: the packet begins a flow: a SYN, a QUIC Initial */
	__u32 reserved;
	__u32 entry_len; /* octets of the whole frame, without that tag */
	__u32 exit_len;
	__u32 entry_captured; /* octets of it that follow */
	__u32 exit_captured;
	__u32 entry_vlan; /* TC: the tag that the kernel keeps beside the frame: TPID << 16 | TCI; 0: none */
	__u32 exit_vlan;
};
ABI_ASSERT(capture_record, 96);

struct capture_bench {
	__u64 taken; /* records in the ring */
	__u64 lost;  /* for want of room there */
	__u64 sequence;
	__u64 busy; /* between a packet's entry and its end */
	struct capture_record record;
	__u8 octets[2 * CAPTURE_SNAP];
};
ABI_ASSERT(capture_bench, 32 + 96 + 2 * CAPTURE_SNAP);

/* The ring's octets unless asked otherwise: power of two, whole pages. */
#define CAPTURE_RING (1 << 23)

#ifdef __bpf__
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct capture_settings);
} capture_settings SEC(".maps");

/* Per CPU: a packet stays on its CPU, and its program is not interrupted by another packet. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct capture_bench);
} capture_benches SEC(".maps");

/* Holds a ring for as long as somebody captures: else it would take its memory for ever. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct {
		__uint(type, BPF_MAP_TYPE_RINGBUF);
		__uint(max_entries, 4096);
	});
} capture_rings SEC(".maps");
#endif

#ifdef __cplusplus
namespace weir::maps {
inline constexpr Map<__u32, struct capture_settings> capture_settings{"capture_settings"};
inline constexpr PerCpuMap<__u32, capture_bench> capture_benches{"capture_benches"};
/* Of rings: records of struct capture_record. */
inline constexpr PoolMap<__u32, capture_record> capture_rings{"capture_rings"};
} // namespace weir::maps
#endif
