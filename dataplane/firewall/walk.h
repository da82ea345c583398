/* SPDX-License-Identifier: GPL-2.0-only */
/* The walk over the compiled rules, node by node; maps/firewall.h says what a node means. */
#pragma once

#include "packet.h"
#include "capture.h"
#include "explain.h"
#include "maps/firewall.h"

/* Nodes in the image minus 1; a power of two minus 1, set before load. */
const volatile __u32 fw_node_mask = FW_NODES_DEFAULT - 1;

#define NODES_A_STEP 8

struct walk {
	const struct fw_node *nodes;
	const __u64 *facts; /* struct facts, or struct packet where no rule compares more */
	__u32 at;
	struct outcome end;
};

/* `frame_len`: where it stands; read only for those that count. */
static __always_inline void count_rule(__u32 slot, const __u32 *frame_len)
{
	struct rule_count *count;

	if (slot == FW_NO_SLOT)
		return;
	count = bpf_map_lookup_elem(&rule_counts, &slot);
	if (count) {
		count->packets++;
		count->bytes += *frame_len;
	}
}

/* In place of the next node: the walk is over. */
#define DONE 0

/* A node that is no test. */
static __always_inline __u32 visit_end(const struct fw_node *node, struct walk *walk,
				       const __u64 *facts, int captured)
{
	__u32 slot = node->no;

	if (node->span > FW_DROP)
		return DONE;
	count_rule(slot, &((const struct packet *)facts)->frame_len);
	if (node->span == FW_COUNT)
		return node->word_yes & FW_INDEX_MASK;
	walk->end = outcome(node->span == FW_ACCEPT ? NEXT_STAGE : VERDICT_DROP,
			    slot == FW_NO_SLOT ? REASON_POLICY : REASON_RULE);
	explain_rule(slot);
	if (captured)
		capture_rule(slot);
	return DONE;
}

/* What a node says of a packet: where to go, or DONE. */
static __always_inline __u32 visit(const struct fw_node *node, struct walk *walk,
				   const __u64 *facts, __u32 words, int captured)
{
	__u64 mask = node->mask, word = node->word_yes >> FW_WORD_SHIFT;

	if (unlikely(!mask))
		return visit_end(node, walk, facts, captured);
	if (word >= words)
		return DONE;
	word = facts[word];
	return (word & mask) - node->first <= node->span ? node->word_yes & FW_INDEX_MASK : node->no;
}

/*
 * Some nodes; returns 1 at a verdict. bpf_loop() calls it, so that the verifier reads it once; each
 * call costs as much as several nodes, hence more than one.
 */
static __always_inline long steps(struct walk *walk, __u32 words, int captured)
{
	const struct fw_node *nodes = walk->nodes;
	const __u64 *facts = walk->facts;
	__u32 at = walk->at;

#pragma unroll
	for (int k = 0; k < NODES_A_STEP; k++) {
		__u32 next = visit(&nodes[at & fw_node_mask], walk, facts, words, captured);

		/* Edges lead upwards; anything else is the end, or damage, and would be a loop. */
		if (next <= at)
			return 1;
		at = next;
	}
	walk->at = at;
	return 0;
}

static long step(__u32 i, struct walk *walk)
{
	return steps(walk, PACKET_WORDS, 0);
}

static long step_rare(__u32 i, struct walk *walk)
{
	return steps(walk, FACT_WORDS, 0);
}

static long step_captured(__u32 i, struct walk *walk)
{
	return steps(walk, FACT_WORDS, 1);
}

/* `words`, a constant: how many `facts` has. */
static __always_inline struct outcome walk_rules(__u32 image, __u32 root, const void *facts,
						 __u32 words, int captured)
{
	struct walk walk = {
		.facts = facts,
		.at = root,
		.end = drop(REASON_CLASSIFIER), /* unless a node says otherwise */
	};
	void *inner = bpf_map_lookup_elem(&fw_images, &image);

	if (!inner)
		return walk.end;
	image = 0; /* its only element */
	walk.nodes = bpf_map_lookup_elem(inner, &image);
	if (!walk.nodes)
		return walk.end;
	if (captured) { /* below one more function: of the stack there is less */
		bpf_loop(fw_node_mask / NODES_A_STEP + 1, step_captured, &walk, 0);
		return walk.end;
	}
	/* A few rules end within the first steps, without the calls. */
	if (steps(&walk, words, 0))
		return walk.end;
	if (words == FACT_WORDS)
		bpf_loop(fw_node_mask / NODES_A_STEP + 1, step_rare, &walk, 0);
	else
		bpf_loop(fw_node_mask / NODES_A_STEP + 1, step, &walk, 0);
	return walk.end;
}
