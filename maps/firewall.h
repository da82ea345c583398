/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rules as the packet path walks them: a decision graph. From its root the walk goes from node
 * to node, always to a higher index, until a node with a verdict. `ctl/compile` decides the graph's
 * shape; the walk in `dataplane/firewall` knows only the nodes.
 */
#pragma once

#include "abi.h"
#include "facts.h"

/*
 * A test of one word of struct facts: (word & mask) - first <= last - first, in 64 bits, that is,
 * first <= (word & mask) <= last. It goes on at `yes` or `no`. With mask 0 the node is no test: see
 * enum fw_end.
 */
struct fw_node {
	__u64 mask;
	__u64 first;
	__u64 span; /* last - first; enum fw_end if the node is no test */
	__u32 word_yes; /* word << FW_WORD_SHIFT | index of the next node, above this node's own */
	__u32 no;	/* the same, without a word; the slot in rule_counts if the node is no test */
};
ABI_ASSERT(fw_node, 32);

#define FW_WORD_SHIFT 24
#define FW_INDEX_MASK ((1U << FW_WORD_SHIFT) - 1)

/* Nodes that are no test count the packet in the rule's counters, unless the slot is FW_NO_SLOT. */
enum fw_end {
	FW_COUNT, /* go on at `yes` */
	FW_ACCEPT,
	FW_DROP,
};

/* In place of a slot: the chain's policy, not a rule. */
#define FW_NO_SLOT 0xffffffff

/* In place of a root: no rule concerns this kind of packet, the policy decides. */
#define FW_POLICY_ACCEPT 0xffffffff
#define FW_POLICY_DROP	 0xfffffffe

/* Nodes in one image by default; always a power of two. `weir load --max-nodes` sets it. */
#define FW_NODES_DEFAULT 65536
/* Array values end at 4 MiB on kernel 6.1 (KMALLOC_MAX_SIZE). */
#define FW_NODES_LIMIT (1 << 17)

/* Hits of a rule. Written by the data plane, read by `weir fw list` and `weir stats`. */
struct rule_count {
	__u64 packets;
	__u64 bytes; /* octets of the frame, from the Ethernet header, without FCS */
};
ABI_ASSERT(rule_count, 16);

#define RULE_SLOTS_DEFAULT 16384

/* Element of an address set: the sets that contain this prefix or one that covers it. */
struct set_mask {
	__u64 sets; /* bit N: set N */
};
ABI_ASSERT(set_mask, 8);

#define SETS_MAX 64
#define SET_ELEMENTS_DEFAULT 65536

/* Longest-prefix keys as BPF_MAP_TYPE_LPM_TRIE wants them. */
struct set4_key {
	__u32 prefix_len; /* bits */
	__be32 addr;
};
ABI_ASSERT(set4_key, 8);

struct set6_key {
	__u32 prefix_len;
	__be32 addr[4];
};
ABI_ASSERT(set6_key, 20);

#define PORTS 65536

#ifdef __bpf__
struct fw_image_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, FW_NODES_DEFAULT * sizeof(struct fw_node));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, TABLE_POOL);
	__type(key, __u32);
	__array(values, struct fw_image_map);
} fw_images SEC(".maps");

struct set4_map {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, SET_ELEMENTS_DEFAULT);
	__uint(key_size, sizeof(struct set4_key));
	__uint(value_size, sizeof(struct set_mask));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, TABLE_POOL);
	__type(key, __u32);
	__array(values, struct set4_map);
} set4_tables SEC(".maps");

struct set6_map {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, SET_ELEMENTS_DEFAULT);
	__uint(key_size, sizeof(struct set6_key));
	__uint(value_size, sizeof(struct set_mask));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, TABLE_POOL);
	__type(key, __u32);
	__array(values, struct set6_map);
} set6_tables SEC(".maps");

/* Indexed by port number. */
struct set_port_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, PORTS);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct set_mask));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, TABLE_POOL);
	__type(key, __u32);
	__array(values, struct set_port_map);
} set_port_tables SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY); /* per CPU: no atomics on the packet path */
	__uint(max_entries, RULE_SLOTS_DEFAULT);
	__type(key, __u32); /* a rule's slot: the same as long as the rule lives */
	__type(value, struct rule_count);
} rule_counts SEC(".maps");
#endif

#ifdef __cplusplus
namespace weir::maps {
inline constexpr PoolMap<__u32, fw_node> fw_images{"fw_images"};
inline constexpr PoolMap<set4_key, set_mask> set4_tables{"set4_tables"};
inline constexpr PoolMap<set6_key, set_mask> set6_tables{"set6_tables"};
inline constexpr PoolMap<__u32, set_mask> set_port_tables{"set_port_tables"};
inline constexpr PerCpuMap<__u32, rule_count> rule_counts{"rule_counts"};
} // namespace weir::maps
#endif
