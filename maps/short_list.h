/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rules as the fast lane compares them: where all rules of a chain for a kind of packet can be expressed this way, and
 * are few, they are records in the generation itself, one after the other. The same rules are in the graph
 * (maps/firewall.h), which the general lane walks.
 */
#pragma once

#include "abi.h"
#include "reason.h"

/*
 * Of one rule, or of a part of it: a rule with several ranges has several records, of which a packet matches one. It
 * matches if (word & mask) == value for each word of its headers.
 */
struct fw_record {
	__u64 addrs[4]; /* source and destination address as they stand in the header; IPv4: one word */
	__u64 addrs_mask[4];
	__u64 rest; /* fw_rest() */
	__u64 rest_mask;
	__u64 answer; /* FW_ACCEPTED, FW_DROPPED; 0: count, and go on with the next record */
	__u32 slot; /* of the rule, in rule_counts */
	__u32 reserved;
};
ABI_ASSERT(fw_record, 96);

/* Reason << 32 | verdict, as the stages of the packet path answer each other: VERDICT_COUNT is the next stage. */
#define FW_ACCEPTED ((__u64)REASON_RULE << 32 | VERDICT_COUNT)
#define FW_DROPPED ((__u64)REASON_RULE << 32 | VERDICT_DROP)

/* Both ports as they stand in the header, and the TCP header's flags. */
static inline __u64 fw_rest(__be32 ports, __u8 tcp_flags)
{
	return (__u64)tcp_flags << 32 | ports;
}

#define FW_LIST_MAX 32 /* records of one list */
#define FW_RECORDS 128 /* of all lists of a generation; a power of two */

/* A list: its first record | how many << 8 | FW_LIST_DROPS if that is the chain's policy. 0: there is none. */
#define FW_LIST(first, records) ((first) | (records) << 8)
#define FW_LIST_DROPS (1U << 31)
