// SPDX-License-Identifier: GPL-2.0-only
/*
 * Other people's XDP programs, seen from outside: at their entry (fentry) and return (fexit). What
 * lies in further buffers of a frame is counted in its length, and not copied.
 */
#include "bpf.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#include "capture_bench.h"
#include "maps/interface.h"

/* The kernel's own; the loader fits the offsets to the kernel at hand. */
struct net_device {
	int ifindex;
} __attribute__((preserve_access_index));

struct xdp_rxq_info {
	struct net_device *dev;
} __attribute__((preserve_access_index));

struct xdp_buff {
	void *data;
	void *data_end;
	struct xdp_rxq_info *rxq;
} __attribute__((preserve_access_index));

static __always_inline __u32 capture_read(struct xdp_buff *xdp, __u8 *to, __u32 most)
{
	void *start = xdp->data;
	__u32 octets = xdp->data_end - start;

	if (octets > most)
		octets = most;
	asm volatile("" : "+r"(octets));
	if (octets > CAPTURE_SNAP)
		octets = CAPTURE_SNAP;
	return bpf_probe_read_kernel(to, octets, start) ? 0 : octets;
}

SEC("fentry")
int capture_entry(__u64 *ctx)
{
	struct xdp_buff *xdp = (void *)ctx[0];
	__u32 only = 0, ifindex = xdp->rxq->dev->ifindex;
	const struct capture_settings *wish = bpf_map_lookup_elem(&capture_settings, &only);
	struct capture_bench *bench = capture_bench();

	if (!wish || !bench)
		return 0;
	bench->busy = 0;
	if (wish->ifindex && wish->ifindex != ifindex)
		return 0;
	bench->record = (struct capture_record){
		.entered = bpf_ktime_get_ns(),
		.id = (__u64)bpf_get_smp_processor_id() << 48 | ++bench->sequence,
		.ifindex = ifindex,
		.hook = HOOK_XDP,
		.verdict = VERDICT_COUNT,
		.rule = CAPTURE_NO_RULE,
		.service = CAPTURE_NO_SERVICE,
		.entry_len = bpf_xdp_get_buff_len((struct xdp_md *)xdp),
	};
	if (wish->points & CAPTURE_ENTRY)
		bench->record.entry_captured = capture_read(xdp, bench->octets, wish->snap);
	bench->busy = 1;
	return 0;
}

SEC("fexit")
int capture_return(__u64 *ctx)
{
	struct xdp_buff *xdp = (void *)ctx[0];
	__u32 only = 0, at, action = ctx[1];
	const struct capture_settings *wish = bpf_map_lookup_elem(&capture_settings, &only);
	struct capture_bench *bench = capture_bench();

	if (!wish || !bench || !bench->busy) /* not busy: it came in before fentry was there */
		return 0;
	bench->busy = 0;
	if (!capture_wanted(wish, action, bench->record.rule))
		return 0;
	bench->record.left = bpf_ktime_get_ns();
	bench->record.action = action;
	bench->record.exit_len = bpf_xdp_get_buff_len((struct xdp_md *)xdp);
	at = bench->record.entry_captured;
	asm volatile("" : "+r"(at));
	if ((wish->points & CAPTURE_EXIT) && at <= CAPTURE_SNAP)
		bench->record.exit_captured = capture_read(xdp, bench->octets + at, wish->snap);
	capture_put(bench);
	return 0;
}

char _license[] SEC("license") = "GPL";
