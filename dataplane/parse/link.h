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
