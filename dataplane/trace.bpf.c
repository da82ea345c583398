// SPDX-License-Identifier: GPL-2.0-only
/*
 * The bodies of every probe, one for each way of attaching. Each notes what it is given; the rest is
 * the same for all: the recipe that the attach cookie names, and its sink.
 */
#include "bpf.h"

#include <linux/ptrace.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#include "maps/trace.h"
#include "trace/machine.h"
#include "trace/sink.h"
#include "trace/work.h"

/* For raw tracepoints, which have no cookie before 6.10 and as many arguments as they have. */
const volatile __u64 trace_own_cookie;
const volatile __u32 trace_own_arguments;

/* The bench of a probe that was hit; work is NULL if there is none. */
struct trace_start {
	struct trace_work *work;
	__u32 bench;
};

static __always_inline struct trace_start trace_begin(void)
{
	struct trace_start start = {};

	start.work = trace_take_bench(&start.bench);
	if (start.work)
		start.work->books.fired++;
	return start;
}

static __always_inline void trace_note_context(struct trace_work *work, void *ctx,
					     const struct trace_recipe *recipe)
{
	__u64 id = bpf_get_current_pid_tgid();

	work->context[CONTEXT_NOW] = work->event.time = bpf_ktime_get_ns();
	work->context[CONTEXT_PID] = id >> 32;
	work->context[CONTEXT_TID] = (__u32)id;
	work->context[CONTEXT_UID] = (__u32)bpf_get_current_uid_gid();
	work->context[CONTEXT_CPU] = bpf_get_smp_processor_id();
	work->context[CONTEXT_CGROUP] = bpf_get_current_cgroup_id();
	work->context[CONTEXT_TASK] = bpf_get_current_task();
	if (recipe->stacks & 1)
		work->context[CONTEXT_STACK] = bpf_get_stackid(ctx, &trace_stacks, 0);
	if (recipe->stacks & 2)
		work->context[CONTEXT_USER_STACK] = bpf_get_stackid(ctx, &trace_stacks, BPF_F_USER_STACK);
}

/* Of every TRACE_TIMED-th hit of a bench, never of the first, which is cold: reading the clock costs as much as a short recipe. */
static __always_inline void trace_time(struct trace_work *work)
{
	if (work->books.fired % TRACE_TIMED)
		return;
	work->books.timed++;
	work->books.timed_ns += bpf_ktime_get_ns() - work->event.time;
}

static __always_inline void trace_finish(struct trace_start *start, void *ctx, __u64 cookie)
{
	struct trace_work *work = start->work;
	__u32 index = cookie >> 32;
	const struct trace_recipe *recipe = bpf_map_lookup_elem(&trace_recipes, &index);

	if (recipe) {
		work->event.probe = cookie;
		trace_note_context(work, ctx, recipe);
		if (trace_run(work, recipe))
			trace_sink(work, recipe);
		else
			work->books.refused++;
		trace_time(work);
	}
	trace_leave_bench(start->bench);
}

/* libbpf names five before 1.2. */
static __always_inline __u64 trace_sixth(struct pt_regs *ctx)
{
#if defined(__TARGET_ARCH_x86)
	return ctx->r9;
#elif defined(__TARGET_ARCH_arm64)
	return ((struct user_pt_regs *)ctx)->regs[5];
#endif
}

static __always_inline void trace_note_registers(struct trace_work *work, struct pt_regs *ctx)
{
	work->argument[0] = PT_REGS_PARM1(ctx);
	work->argument[1] = PT_REGS_PARM2(ctx);
	work->argument[2] = PT_REGS_PARM3(ctx);
	work->argument[3] = PT_REGS_PARM4(ctx);
	work->argument[4] = PT_REGS_PARM5(ctx);
	work->argument[5] = trace_sixth(ctx);
	work->result = PT_REGS_RC(ctx);
	work->record = (__u64)ctx;
}

/* kprobe, kretprobe, uprobe, uretprobe */
SEC("kprobe")
int trace_probe(struct pt_regs *ctx)
{
	struct trace_start start = trace_begin();

	if (start.work) {
		trace_note_registers(start.work, ctx);
		start.work->context[CONTEXT_FUNCTION] = bpf_get_func_ip(ctx);
		trace_finish(&start, ctx, bpf_get_attach_cookie(ctx));
	}
	return 0;
}

SEC("kprobe.multi")
int trace_multi(struct pt_regs *ctx)
{
	struct trace_start start = trace_begin();

	if (start.work) {
		trace_note_registers(start.work, ctx);
		start.work->context[CONTEXT_FUNCTION] = bpf_get_func_ip(ctx);
		trace_finish(&start, ctx, bpf_get_attach_cookie(ctx));
	}
	return 0;
}

static __always_inline void trace_note_arguments(struct trace_work *work, void *ctx)
{
	for (__u32 i = 0; i < TRACE_ARGUMENTS; i++) {
		work->argument[i] = 0;
		bpf_get_func_arg(ctx, i, &work->argument[i]);
	}
	work->context[CONTEXT_FUNCTION] = bpf_get_func_ip(ctx);
}

SEC("fentry")
int trace_fentry(__u64 *ctx)
{
	struct trace_start start = trace_begin();

	if (start.work) {
		trace_note_arguments(start.work, ctx);
		trace_finish(&start, ctx, bpf_get_attach_cookie(ctx));
	}
	return 0;
}

SEC("fexit")
int trace_fexit(__u64 *ctx)
{
	struct trace_start start = trace_begin();

	if (start.work) {
		trace_note_arguments(start.work, ctx);
		start.work->result = 0;
		bpf_get_func_ret(ctx, &start.work->result);
		trace_finish(&start, ctx, bpf_get_attach_cookie(ctx));
	}
	return 0;
}

SEC("tp")
int trace_tracepoint(void *ctx)
{
	struct trace_start start = trace_begin();

	if (start.work) {
		start.work->record = (__u64)ctx;
		trace_finish(&start, ctx, bpf_get_attach_cookie(ctx));
	}
	return 0;
}

SEC("raw_tp")
int trace_raw(struct bpf_raw_tracepoint_args *ctx)
{
	struct trace_start start = trace_begin();

	if (start.work) {
#pragma unroll
		for (int i = 0; i < TRACE_ARGUMENTS; i++)
			start.work->argument[i] = (__u32)i < trace_own_arguments ? ctx->args[i] : 0;
		trace_finish(&start, ctx, trace_own_cookie);
	}
	return 0;
}

char _license[] SEC("license") = "GPL";
