/* SPDX-License-Identifier: GPL-2.0 */
/* XDP that passes every frame: a veth takes redirected frames only if its peer runs native XDP. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

SEC("xdp.frags")
int lab_pass(struct xdp_md *ctx)
{
	return XDP_PASS;
}
