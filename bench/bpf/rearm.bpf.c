// SPDX-License-Identifier: GPL-2.0-only
/*
 * BPF_PROG_TEST_RUN hands a program its own output as the next lap's packet. These programs stand
 * before the one under test: they make the packet what it was, with the next header, call the program
 * and count its answer. Around an empty program they are the floor of every figure.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "bench/bpf/rearm.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct rearm);
} rearm_run SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* as many as a scenario has, set before load */
	__type(key, __u32);
	__type(value, struct rearm_header);
} rearm_headers SEC(".maps");

struct programs {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, REARM_PROGRAMS);
	__type(key, __u32);
	__type(value, __u32);
};
struct programs xdp_programs SEC(".maps"), tc_programs SEC(".maps");

static __always_inline struct rearm *this_run(void)
{
	const __u32 only = 0;

	return bpf_map_lookup_elem(&rearm_run, &only);
}

/* `at` is even, as all are: the mask only says to the verifier that it is in the header. */
static __always_inline __u16 *word_of(struct rearm_header *header, __u32 at)
{
	return (__u16 *)&header->octets[at & (REARM_HEADER_MAX - sizeof(__u16))];
}

/* Writes a word of a header; returns what a checksum over it changes by (RFC 1624). */
static __always_inline __u32 put(struct rearm_header *header, __u32 at, __u16 value)
{
	__u16 *word = word_of(header, at), before = *word;

	if (!at)
		return 0;
	*word = value;
	return (__u16)~before + value;
}

static __always_inline void add_to_sum(struct rearm_header *header, __u32 at, __u32 change)
{
	__u16 *sum = word_of(header, at);

	if (!at)
		return;
	change += (__u16)~*sum;
	change = (change & 0xffff) + (change >> 16);
	*sum = ~((change & 0xffff) + (change >> 16));
}

static __always_inline void take_next_flow(struct rearm *run, struct rearm_header *header)
{
	__u64 n = run->next_flow;
	__u32 saddr = run->flows.saddr + REARM_ADDRESS(n), change;

	run->next_flow = n + 1 < run->flows.count ? n + 1 : 0;
	change = put(header, run->flows.saddr_at, bpf_htons(saddr >> 16)) +
		 put(header, run->flows.saddr_at + 2, bpf_htons(saddr));
	add_to_sum(header, run->flows.ip_sum_at, change);
	change += put(header, run->flows.sport_at, bpf_htons(REARM_PORT(n)));
	add_to_sum(header, run->flows.l4_sum_at, change);
}

static __always_inline const struct rearm_header *next_header(struct rearm *run)
{
	struct rearm_header *header;
	__u32 turn = run->next;

	run->next = turn + 1 < run->headers ? turn + 1 : 0;
	header = bpf_map_lookup_elem(&rearm_headers, &turn);
	if (header && run->flows.count > 1)
		take_next_flow(run, header);
	return header;
}

static __always_inline void count(struct rearm *run, int answer)
{
	__u32 at = answer + 1;

	if (answer == run->no_answer)
		run->not_called++;
	else
		run->answers[at < REARM_ANSWERS ? at : REARM_ANSWERS - 1]++;
}

/*
 * A tail call from a function of its own comes back to that function's caller, with the answer of
 * what was called. Compiler and verifier (before 6.18) see but the return below, and would take a
 * constant for the only answer there is: hence a number that is read.
 */
static __noinline int call_xdp(struct xdp_md *ctx, struct rearm *run)
{
	bpf_tail_call(ctx, &xdp_programs, run->program);
	return run->no_answer;
}

/*
 * Metadata first, for moving the head takes it along; then the head to where it lay at first, and the
 * tail. Also where nothing moved: a lap around the empty program costs the same.
 */
static __always_inline int restore_xdp(struct xdp_md *ctx, struct rearm *run)
{
	const struct rearm_header *header = next_header(run);
	volatile __u64 *here = &run->here;
	__u32 header_len;
	void *data = (void *)(long)ctx->data;
	void *meta = (void *)(long)ctx->data_meta;

	*here = (__u64)data; /* read back as a number: pointers are not compared with numbers */
	if (!run->start)
		run->start = *here;
	if (bpf_xdp_adjust_meta(ctx, data - meta) ||
	    bpf_xdp_adjust_head(ctx, (int)(run->start - *here)) ||
	    bpf_xdp_adjust_tail(ctx, (int)(run->frame_len - bpf_xdp_get_buff_len(ctx))))
		return -1;
	header_len = run->header_len; /* read here: 6.1 forgets the bounds of a spilled half word */
	if (!header || header_len < ETH_HLEN || header_len > REARM_HEADER_MAX)
		return -1;
	return bpf_xdp_store_bytes(ctx, 0, (void *)header, header_len);
}

SEC("xdp")
int rearm_xdp(struct xdp_md *ctx)
{
	struct rearm *run = this_run();
	int answer;

	if (!run)
		return XDP_ABORTED;
	if (restore_xdp(ctx, run)) {
		run->not_restored++;
		return XDP_ABORTED;
	}
	answer = call_xdp(ctx, run);
	count(run, answer);
	return answer;
}

SEC("xdp")
int empty_xdp(struct xdp_md *ctx)
{
	return XDP_PASS;
}

static __noinline int call_tc(struct __sk_buff *skb, struct rearm *run)
{
	bpf_tail_call(skb, &tc_programs, run->program);
	return run->no_answer;
}

/* What a program put between the Ethernet and the IP header, or cut off there, goes first. */
static __always_inline int restore_tc(struct __sk_buff *skb, struct rearm *run)
{
	const struct rearm_header *header = next_header(run);
	__u32 header_len;

	if (skb->vlan_present && bpf_skb_vlan_pop(skb))
		return -1;
	if (skb->len != run->frame_len &&
	    bpf_skb_adjust_room(skb, (int)(run->frame_len - skb->len), BPF_ADJ_ROOM_MAC, 0) &&
	    bpf_skb_change_tail(skb, run->frame_len, 0))
		return -1;
	skb->mark = 0;
	header_len = run->header_len;
	if (!header || header_len < ETH_HLEN || header_len > REARM_HEADER_MAX)
		return -1;
	return bpf_skb_store_bytes(skb, 0, header, header_len, 0);
}

SEC("tc")
int rearm_tc(struct __sk_buff *skb)
{
	struct rearm *run = this_run();
	int answer;

	if (!run)
		return TC_ACT_SHOT;
	if (restore_tc(skb, run)) {
		run->not_restored++;
		return TC_ACT_SHOT;
	}
	answer = call_tc(skb, run);
	count(run, answer);
	return answer;
}

SEC("tc")
int empty_tc(struct __sk_buff *skb)
{
	return TC_ACT_UNSPEC;
}

char _license[] SEC("license") = "GPL";
