/* SPDX-License-Identifier: GPL-2.0-only */
/* The backends of a generation. */
#pragma once

#include "packet.h"
#include "maps/balancer.h"
#include "maps/generation.h"

static __always_inline const struct backend *backend_at(const struct generation *gen, __u32 index)
{
	__u32 place = gen->backend_table + index;

	return bpf_map_lookup_elem(&backend_tables, &place);
}
