// SPDX-License-Identifier: GPL-2.0-only
/*
 * The generator of `weir bench net`: BPF_PROG_TEST_RUN with live frames calls it for every frame, and
 * sends where it says. The kernel hands a page out again with what the path made of it, so that all
 * headers are written on every frame.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "bench/bpf/live.h"
#include "bench/bpf/rearm.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* as many as there are flows, set before load */
	__type(key, __u32);
	__type(value, struct rearm_header);
} live_headers SEC(".maps");

/* One CPU at a time runs the generator: plain numbers suffice. */
__u64 live_flows; /* entries of live_headers */
__u64 live_turn;  /* the next of them */
__u64 live_sent;  /* frames handed to the interface; none of them need have arrived */
__u64 live_out;	  /* the interface */

/* Word by word, which the compiler does not for what may lie anywhere. */
static __always_inline void copy_header(__u64 *to, const void *octets)
{
	const __u64 *from = octets;

#pragma unroll
	for (int i = 0; i < LIVE_HEADER / 8; i++)
		to[i] = from[i];
}

SEC("xdp")
int live_frame(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	__u32 turn = live_turn;
	const struct rearm_header *header = bpf_map_lookup_elem(&live_headers, &turn);

	live_turn = turn + 1 < live_flows ? turn + 1 : 0;
	if (!header || data + LIVE_HEADER > end)
		return XDP_ABORTED;
	copy_header(data, header->octets);
	live_sent++;
	return bpf_redirect(live_out, 0);
}

char _license[] SEC("license") = "GPL";
