/* SPDX-License-Identifier: GPL-2.0-only */
/* Stage 2: may the packet go on? Packet classes first, then the chain's rules. */
#pragma once

#include "firewall/sets.h"
#include "firewall/walk.h"

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

static __always_inline struct outcome decide(const struct generation *gen, struct packet *pkt,
					     __u32 root, int captured)
{
	if (unlikely(pkt->classes)) {
		struct outcome decided = decide_classes(gen, pkt);

		if (decided.verdict == VERDICT_DROP)
			return decided;
		if (decided.verdict == VERDICT_PASS)
			return outcome(NEXT_STAGE, decided.reason);
	}
	if (gen->set_uses)
		find_sets(gen, pkt);
	return walk_rules(gen->fw_image, root, pkt, captured);
}

/* Answers NEXT_STAGE for an accepted packet, with the reason why. */
STAGE firewall(const struct generation *gen, struct packet *pkt, __u32 root)
{
	return gen && pkt ? pack(decide(gen, pkt, root, 0)) : 0;
}

/* The same for a packet that is captured: which rule decided is noted. */
STAGE firewall_captured(const struct generation *gen, struct packet *pkt, __u32 root)
{
	return gen && pkt ? pack(decide(gen, pkt, root, 1)) : 0;
}
