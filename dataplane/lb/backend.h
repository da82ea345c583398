/* SPDX-License-Identifier: GPL-2.0-only */
/* The backends of a generation. */
#pragma once

#include "packet.h"
#include "maps/balancer.h"
#include "maps/generation.h"

static __always_inline const struct backend *backend_at(const struct generation *gen, __u32 index)
{
	__u32 pool_index = gen->backend_table;
	void *table = bpf_map_lookup_elem(&backend_tables, &pool_index);

	return table ? bpf_map_lookup_elem(table, &index) : NULL;
}
