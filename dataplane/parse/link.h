/* SPDX-License-Identifier: GPL-2.0-only */
/* VLAN tags (IEEE 802.1Q). */
#pragma once

#include "packet.h"

#define VLAN_ID_MASK 0x0fff

struct vlan_tag {
	__be16 tci;
	__be16 type; /* of what follows */
};

static __always_inline int is_vlan(__be16 type)
{
	return type == bpf_htons(ETH_P_8021Q) || type == bpf_htons(ETH_P_8021AD);
}

/* Of a tag as frame_tag() gives it; 0: none. */
static __always_inline __u16 vlan_fact(__u32 tag)
{
	return tag ? VLAN_PRESENT | (tag & VLAN_ID_MASK) : 0;
}
