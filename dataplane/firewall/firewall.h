/* SPDX-License-Identifier: GPL-2.0-only */
/* Stage 2: may the packet go on? Packet classes first, then the chain's rules. */
#pragma once

#include "account.h"
#include "firewall/sets.h"
#include "firewall/walk.h"
#include "parse/cursor.h"

static __always_inline __u32 class_reason(int class)
{
	switch (class) {
#define X(enumerator, name, action, reason)                                                        \
	case enumerator:                                                                           \
		return reason;
		WEIR_PACKET_CLASSES(X)
#undef X
	}
	return REASON_POLICY;
}

/* NEXT_STAGE: the rules decide. VERDICT_PASS: accepted without them. */
static __always_inline struct outcome decide_classes(const struct generation *gen,
						     const struct packet *pkt)
{
	struct outcome decided = next_stage();

	for (int class = 0; class < CLASS_COUNT; class++) {
		if (!(pkt->classes >> class & 1))
			continue;
		if (gen->class_action[class] == ACTION_DROP)
			return drop(class_reason(class));
		if (gen->class_action[class] == ACTION_ACCEPT)
			decided = outcome(VERDICT_PASS, class_reason(class));
	}
	return decided;
}

/* A chain without rules for this kind of packet has its policy in place of a root. */
static __always_inline int is_policy(__u32 root)
{
	return root >= FW_POLICY_DROP;
}

static __always_inline __u32 root_of(const struct generation *gen, const struct place *at,
				     __u8 kind)
{
	return gen->root[at->chain][kind];
}

static __always_inline struct outcome policy(__u32 root)
{
	return root == FW_POLICY_DROP ? drop(REASON_POLICY) : next_stage();
}

static __always_inline __u64 mac_number(const __u8 *mac)
{
	return (__u64)bpf_ntohs(*(const __be16 *)mac) << 32 | bpf_ntohl(*(const __be32 *)(mac + 2));
}

/* What the rules compare and no stage needs. */
static __always_inline void find_rare_facts(frame *ctx, const struct generation *gen,
					    const struct iface *entry, struct facts *facts)
{
	__u32 wanted = gen->rare_facts;

	facts->ether_saddr = facts->ether_daddr = facts->ifname_hi = facts->ifname_lo = 0;
	facts->saddr_sets = facts->daddr_sets = facts->sport_sets = facts->dport_sets = 0;
	if (wanted & RARE_ETHER) {
		struct cursor c = cursor_at(ctx, 0, sizeof(struct ethhdr));
		const struct ethhdr *eth = cursor_take(&c, sizeof(*eth));

		/* A frame without a link-layer header has no addresses: 0, as facts that are not there. */
		if (facts->packet.l3_offset && eth) {
			facts->ether_saddr = mac_number(eth->h_source);
			facts->ether_daddr = mac_number(eth->h_dest);
		}
	}
	if (wanted & RARE_IFNAME && entry) {
		facts->ifname_hi = entry->name_hi;
		facts->ifname_lo = entry->name_lo;
	}
	if (wanted & RARE_SETS)
		find_sets(gen, facts);
}

static __always_inline struct outcome decide(frame *ctx, const struct generation *gen,
					     const struct packet *pkt, __u32 root,
					     const struct iface *entry, int captured)
{
	struct facts facts;

	if (unlikely(pkt->classes)) {
		struct outcome decided = decide_classes(gen, pkt);

		if (decided.verdict == VERDICT_DROP)
			return decided;
		if (decided.verdict == VERDICT_PASS)
			return outcome(NEXT_STAGE, decided.reason);
	}
	if (is_policy(root))
		return policy(root);
	if (!captured && likely(!gen->rare_facts))
		return walk_rules(gen->fw_image, root, pkt, PACKET_WORDS, captured);
	facts.packet = *pkt;
	find_rare_facts(ctx, gen, entry, &facts);
	return walk_rules(gen->fw_image, root, &facts, FACT_WORDS, captured);
}

/* Returns NEXT_STAGE for an accepted packet, with the reason why. `entry` may be NULL. */
STAGE judge_by_rules(frame *ctx, const struct generation *gen, const struct packet *pkt, __u32 root,
		     const struct iface *entry)
{
	return gen && pkt ? pack(decide(ctx, gen, pkt, root, entry, 0)) : 0;
}

/* The same for a packet that is captured: which rule decided is noted. */
STAGE judge_by_rules_captured(frame *ctx, const struct generation *gen, const struct packet *pkt,
			      __u32 root, const struct iface *entry)
{
	return gen && pkt ? pack(decide(ctx, gen, pkt, root, entry, 1)) : 0;
}

/* Returns NEXT_STAGE for an accepted packet, with the reason why. `captured`: a constant. */
static __always_inline struct outcome firewall(frame *ctx, const struct generation *gen,
					       const struct place *at, const struct packet *pkt,
					       int captured)
{
	__u32 root;

	if (pkt->kind >= KIND_COUNT)
		return drop(REASON_CLASSIFIER);
	root = root_of(gen, at, pkt->kind);
	if (likely(is_policy(root) && !pkt->classes))
		return policy(root);
	return unpack(captured ? judge_by_rules_captured(ctx, gen, pkt, root, at->entry)
			       : judge_by_rules(ctx, gen, pkt, root, at->entry));
}
