/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A generation is one whole configuration as the packet path reads it. Its tables are built beside
 * the live ones; then one word, struct control, turns every packet to it. Tables that did not change
 * are shared with the generation before: a record names its tables by their index in their pools, or by
 * their place where they lie in one array. Short lists of rules are in the record itself.
 */
#pragma once

#include "abi.h"
#include "facts.h"
#include "reason.h"
#include "short_list.h"

#define NO_TABLE 0xffffffff

enum fw_chain {
	CHAIN_INGRESS,
	CHAIN_EGRESS,
	CHAIN_COUNT,
};

#define HAS_SOURCE4	1
#define HAS_SOURCE6	2
#define SOURCE6_OF_FLOW 4 /* source6_host is not zero */

struct generation {
	__u64 number; /* counts changes; 0: this slot holds no whole generation */
	__u64 service_seed; /* of service_hash(): with it every service has a place in the table */

	/* firewall */
	__u32 rare_facts; /* bit per enum rare_fact: what the rules compare */
	__u32 root[CHAIN_COUNT][KIND_COUNT]; /* node where the walk begins, or FW_POLICY_* */
	__u32 fw_image; /* index in fw_images */
	__u32 set4_table;
	__u32 set6_table;
	__u32 set_port_table;
	__u8 class_action[8]; /* by enum packet_class: enum class_action */

	/* balancer */
	__u32 services; /* how many; 0: the stage is left at once */
	__u32 any_port; /* how many of them take any port */
	__u32 service_table; /* first place in service_tables */
	__u32 backend_table; /* first place in backend_tables */
	__be32 source4;	     /* outer source: network bits */
	__be32 source4_host; /* mask of the bits that come from the flow; 0: a fixed address */
	__be32 source6[4];
	__be32 source6_host[4];
	__u8 gateway[6]; /* MAC address of the next hop of every tunnelled packet */
	__u8 has_gateway;
	__u8 has_source; /* HAS_SOURCE4, HAS_SOURCE6, SOURCE6_OF_FLOW */
	__u32 idle;	 /* ticks of the flow table after which a TCP flow that is silent is forgotten */
	__u32 state;	 /* index in states. Not read by packets */
	__u32 reserved;

	/* firewall, of common packets */
	__u32 list[CHAIN_COUNT][KIND_COUNT]; /* FW_LIST(); 0: the walk decides */
	struct fw_record record[FW_RECORDS];
};
ABI_ASSERT(generation, 264 + FW_RECORDS * sizeof(struct fw_record));

/* All that a packet looks up to know the configuration in force. */
struct control {
	__u32 live; /* slot of the generation in force; changed by one atomic store */
	__u32 last; /* lower half of the highest number that a generation ever had. Not read by packets */
	struct generation generation[GENERATION_SLOTS];
};
ABI_ASSERT(control, 8 + GENERATION_SLOTS * sizeof(struct generation));
#define NO_GENERATION GENERATION_SLOTS

/* What the user said, as text: the canonical configuration with its handles, in chunks. */
#define STATE_CHUNK 4096
struct state_chunk {
	__u8 bytes[STATE_CHUNK]; /* chunk 0 begins with the text's length: 8 bytes, host order */
};
ABI_ASSERT(state_chunk, STATE_CHUNK);

#ifdef __bpf__
/* Data: a packet reads it at an address that the program knows, without a look-up. */
struct control control SEC(".data.control");
#endif

#ifdef __cplusplus
namespace weir::maps {
inline constexpr Map<__u32, struct control> control{"control"};
/* Made by the control tool alone: no packet reads it. */
inline constexpr PoolMap<__u32, state_chunk> states{"states"};
} // namespace weir::maps
#endif
