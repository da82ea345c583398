/* SPDX-License-Identifier: GPL-2.0-only */
/* Few rules, compared one after the other with the headers of a common packet; maps/short_list.h. */
#pragma once

#include "firewall/walk.h"
#include "parse/common.h"
#include "maps/generation.h"
#include "maps/short_list.h"

/* Words of both addresses: constants. */
#define IPV4_ADDRS 1
#define IPV6_ADDRS 4

static __always_inline int addrs_match(const struct fw_record *rule, const __u64 *addrs, int words)
{
	__u64 differ = 0;

#pragma unroll
	for (int i = 0; i < words; i++)
		differ |= (addrs[i] & rule->addrs_mask[i]) ^ rule->addrs[i];
	return !differ;
}

/*
 * `addrs`: where both addresses stand in the IP header; `l4`: a TCP or UDP header. No rule for UDP asks for what would be
 * flags in TCP.
 */
static __always_inline __u64 judge_headers(const struct generation *gen, __u32 list,
						    const __u64 *addrs, int words, const void *l4,
						    const void *end, __u32 frame_len)
{
	__u32 at = list & (FW_RECORDS - 1), records = list >> 8 & 0xff;
	__u8 flags = l4 + TCP_MIN_LEN <= end ? ((const __u8 *)l4)[TCP_FLAGS_OCTET] : 0;
	__u64 rest = fw_rest(*(const __be32 *)l4, flags);

	for (__u32 i = 0; i < FW_LIST_MAX && i < records; i++) {
		const struct fw_record *rule = &gen->record[(at + i) & (FW_RECORDS - 1)];

		barrier_var(rule); /* or its address is worked out again for each member */
		if ((rest & rule->rest_mask) != rule->rest || !addrs_match(rule, addrs, words))
			continue;
		count_rule(rule->slot, &frame_len);
		if (rule->answer)
			return rule->answer;
	}
	return list & FW_LIST_DROPS ? pack(drop(REASON_POLICY)) : pack(next_stage());
}

/* `offset`: of the IP header of a packet that see_common() has just seen. */
STAGE judge_ipv6_by_list(frame *ctx, const struct generation *gen, __u32 list, __u32 offset,
			 __u32 frame_len)
{
	const struct ipv6hdr *ip = frame_start(ctx) + (offset & 0xff);
	const void *end = frame_end(ctx);

	if (!gen || (const void *)(ip + 1) + UDP_LEN > end)
		return pack(drop(REASON_CLASSIFIER));
	return judge_headers(gen, list, (const void *)&ip->saddr, IPV6_ADDRS, ip + 1, end, frame_len);
}

static __always_inline struct outcome judge_by_list(frame *ctx, const struct generation *gen, __u32 list,
						    const struct common *seen)
{
	const struct iphdr *ip = seen->l3;

	if (likely(seen->kind < KIND_IPV6_TCP))
		return unpack(judge_headers(gen, list, (const void *)&ip->saddr, IPV4_ADDRS, ip + 1,
					    frame_end(ctx), seen->frame_len));
	return unpack(judge_ipv6_by_list(ctx, gen, list, seen->l3_offset, seen->frame_len));
}
