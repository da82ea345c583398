/* SPDX-License-Identifier: GPL-2.0-only */
/* Link-layer headers of packets that are sent: moved, tags kept or taken off, addresses set. */
#pragma once

#include "lb/way.h"

#define L2_UNTAGGED  14
#define L2_ONE_TAG   18
#define L2_TWO_TAGS  22

#define TAG_LEN	     4

/* Destination, then source, as they stand in the frame. */
struct macs {
	__u8 to[ETH_ALEN];
	__u8 by[ETH_ALEN];
};

static __always_inline struct outcome send_by(struct xdp_md *ctx, __u32 ifindex)
{
	if (ifindex == frame_interface(ctx))
		return outcome(VERDICT_SEND, REASON_SERVICE);
	bpf_redirect(ifindex, 0);
	return outcome(VERDICT_REDIRECT, REASON_SERVICE);
}

static __always_inline __be16 ether_type(int ipv4)
{
	return ipv4 ? bpf_htons(ETH_P_IP) : bpf_htons(ETH_P_IPV6);
}

static __always_inline int read_macs(struct xdp_md *ctx, struct macs *macs)
{
	const struct ethhdr *eth = frame_start(ctx);

	if ((void *)(eth + 1) > frame_end(ctx))
		return -1;
	copy_mac(macs->to, eth->h_dest);
	copy_mac(macs->by, eth->h_source);
	return 0;
}

/*
 * Moves the start of the frame, whose link-layer header is `old_len` long, so that its IP header stands `grow`
 * bytes behind the link-layer header (below 0: the outer header goes), writes that header, and returns what
 * follows it; NULL if there is no room. A frame that leaves by the interface that it came from keeps its VLAN
 * tags: they name the link there. By another it leaves untagged.
 */
static __always_inline void *rewrite_l2(struct xdp_md *ctx, __u32 old_len,
					const struct macs *macs, int grow, int keep_tags,
					__be16 type)
{
	void *data = frame_start(ctx), *end = frame_end(ctx);
	__u32 new_len = keep_tags ? old_len : L2_UNTAGGED;
	__be32 tag = 0, second_tag = 0;

	if (unlikely(new_len > L2_UNTAGGED)) {
		if (data + L2_TWO_TAGS > end) /* with an IP packet in it, it is longer */
			return NULL;
		tag = *(__be32 *)(data + L2_UNTAGGED - sizeof(type));
		second_tag = *(__be32 *)(data + L2_ONE_TAG - sizeof(type));
	}
	if ((grow || old_len != new_len) &&
	    bpf_xdp_adjust_head(ctx, (int)(old_len - new_len) - grow))
		return NULL;

	data = frame_start(ctx);
	if (data + L2_TWO_TAGS > frame_end(ctx))
		return NULL;
	copy_mac(data, macs->to);
	copy_mac(data + ETH_ALEN, macs->by);
	data += 2 * ETH_ALEN;
	if (unlikely(new_len >= L2_ONE_TAG)) {
		*(__be32 *)data = tag;
		data += TAG_LEN;
	}
	if (unlikely(new_len >= L2_TWO_TAGS)) {
		*(__be32 *)data = second_tag;
		data += TAG_LEN;
	}
	*(__be16 *)data = type;
	return data + sizeof(type);
}
