/* SPDX-License-Identifier: GPL-2.0-only */
/* Link-layer headers of packets that are sent: moved, tags kept or taken off, addresses set. */
#pragma once

#include "lb/nexthop.h"

#define L2_UNTAGGED  14
#define L2_ONE_TAG   18
#define L2_TWO_TAGS  22

#define TAG_LEN	     4

static __always_inline __be16 ether_type(__u8 family)
{
	return family == 4 ? bpf_htons(ETH_P_IP) : bpf_htons(ETH_P_IPV6);
}

/* Destination, then source, as they stand in the frame. */
struct macs {
	__u8 to[ETH_ALEN];
	__u8 from[ETH_ALEN];
};

/* The kernel is to send it: the frame keeps its addresses, or would not be taken in. */
static __always_inline int keep_addresses(struct xdp_md *ctx, struct macs *macs)
{
	const struct ethhdr *eth = frame_start(ctx);

	if ((void *)(eth + 1) > frame_end(ctx))
		return -1;
	copy_mac(macs->to, eth->h_dest);
	copy_mac(macs->from, eth->h_source);
	return 0;
}

/*
 * Moves the start of the frame so that its IP header stands `grow` octets behind the link-layer
 * header (below 0: the outer header goes), writes that header, and returns what follows it; NULL if
 * there is no room. A frame that leaves by the interface that it came from keeps its VLAN tags: they
 * name the link there. By another it leaves untagged.
 */
static __always_inline void *rewrite_l2(struct xdp_md *ctx, const struct packet *pkt,
					const struct macs *macs, int grow, int keep_tags, __be16 type)
{
	void *data = frame_start(ctx), *end = frame_end(ctx);
	__u32 old_len = pkt->l3_offset, new_len = keep_tags ? old_len : L2_UNTAGGED;
	__be32 tag, second_tag; /* a frame with an IP packet in it is longer than both */

	if (data + L2_TWO_TAGS > end)
		return NULL;
	tag = *(__be32 *)(data + L2_UNTAGGED - sizeof(type));
	second_tag = *(__be32 *)(data + L2_ONE_TAG - sizeof(type));
	if ((grow || old_len != new_len) &&
	    bpf_xdp_adjust_head(ctx, (int)(old_len - new_len) - grow))
		return NULL;

	data = frame_start(ctx);
	if (data + L2_TWO_TAGS > frame_end(ctx))
		return NULL;
	copy_mac(data, macs->to);
	copy_mac(data + ETH_ALEN, macs->from);
	data += 2 * ETH_ALEN;
	if (new_len >= L2_ONE_TAG) {
		*(__be32 *)data = tag;
		data += TAG_LEN;
	}
	if (new_len >= L2_TWO_TAGS) {
		*(__be32 *)data = second_tag;
		data += TAG_LEN;
	}
	*(__be16 *)data = type;
	return data + sizeof(type);
}
