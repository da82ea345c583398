/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From XDP to TC ingress of the same interface: a packet whose next hop is not resolved yet. XDP
 * cannot wait for a neighbour; the kernel can, when TC gives it the packet with the next hop.
 * The record stands in the metadata in front of the frame.
 */
#pragma once

#include "packet.h"

#define HANDOVER_MAGIC 0x77656972 /* tells our record from another program's */

struct handover {
	__u32 magic;
	__u32 ifindex; /* out of this interface */
	__u32 family;  /* of the next hop: AF_INET, AF_INET6 */
	__be32 nexthop[4];
};
