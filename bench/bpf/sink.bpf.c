// SPDX-License-Identifier: GPL-2.0-only
/*
 * The least that a device can do with a frame, counted. `count_drop` is the sink of `weir bench net`,
 * and the floor of its filters; `count_redirect` is the floor of what forwards.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} counted SEC(".maps");

__u64 redirect_to; /* interface */

static __always_inline void count(void)
{
	const __u32 only = 0;
	__u64 *frames = bpf_map_lookup_elem(&counted, &only);

	if (frames)
		(*frames)++;
}

SEC("xdp")
int count_drop(struct xdp_md *ctx)
{
	count();
	return XDP_DROP;
}

SEC("xdp")
int count_redirect(struct xdp_md *ctx)
{
	count();
	return bpf_redirect(redirect_to, 0);
}

char _license[] SEC("license") = "GPL";
