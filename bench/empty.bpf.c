// SPDX-License-Identifier: GPL-2.0-only
/* The floor that every figure is taken against: what a test run costs without any program. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

SEC("xdp.frags")
int bench_empty(struct xdp_md *ctx)
{
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
