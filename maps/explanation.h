/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What `weir explain` learns. It loads the same object once more with `explaining` set and counters
 * of its own; that instance writes this record, and enters no flow.
 */
#pragma once

#include "abi.h"

struct explanation {
	__u32 verdict; /* enum verdict */
	__u32 reason;  /* enum reason */
	__u32 rule;    /* slot of the rule that decided; FW_NO_SLOT: none */
	__u32 service; /* slot; NO_TABLE: none */
	__u32 backend; /* index in the backend table; NO_TABLE: none */
	__u32 flow;    /* 1: found in the flow table, 0: chosen by the ring */
};
ABI_ASSERT(explanation, 24);

#ifdef __bpf__
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct explanation);
} explanations SEC(".maps");
#endif

#ifdef __cplusplus
namespace weir::maps {
inline constexpr Map<__u32, explanation> explanations{"explanations"};
} // namespace weir::maps
#endif
