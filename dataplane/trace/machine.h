/* SPDX-License-Identifier: GPL-2.0-only */
/* The stack machine that runs recipes: maps/trace.h says what each operation does. */
#pragma once

#include "trace/packet.h"
#include "trace/work.h"

static __always_inline void trace_push(struct trace_work *work, __u64 value)
{
	work->stack[work->depth & (TRACE_STACK - 1)] = value;
	work->depth++;
}

static __always_inline __u64 trace_pop(struct trace_work *work)
{
	work->depth--;
	return work->stack[work->depth & (TRACE_STACK - 1)];
}

static __always_inline __u64 trace_read(struct trace_work *work, __u64 address, __u8 size, bool user)
{
	__u64 value = 0;
	long error;

	size = size > sizeof(value) ? sizeof(value) : size;
	error = user ? bpf_probe_read_user(&value, size, (void *)address)
		     : bpf_probe_read_kernel(&value, size, (void *)address);
	if (error) {
		work->books.unreadable++;
		return 0;
	}
	return value;
}

static __always_inline __u64 trace_sign(__u64 value, __u8 size)
{
	__u32 unused = 64 - 8 * (size & 7);

	return size >= 8 ? value : (__u64)((__s64)(value << (unused & 63)) >> (unused & 63));
}

static __always_inline __u64 trace_swap(__u64 value, __u8 size)
{
	switch (size) {
	case 2:
		return bpf_ntohs((__u16)value);
	case 4:
		return bpf_ntohl((__u32)value);
	case 8:
		return bpf_be64_to_cpu(value);
	default:
		return value;
	}
}

static __always_inline __u64 trace_combine(__u8 operation, __u64 a, __u64 b)
{
	switch (operation) {
	case TRACE_ADD:
		return a + b;
	case TRACE_SUBTRACT:
		return a - b;
	case TRACE_MULTIPLY:
		return a * b;
	case TRACE_DIVIDE:
		return b ? a / b : 0;
	case TRACE_AND:
		return a & b;
	case TRACE_OR:
		return a | b;
	case TRACE_XOR:
		return a ^ b;
	case TRACE_SHIFT_LEFT:
		return a << (b & 63);
	case TRACE_SHIFT_RIGHT:
		return a >> (b & 63);
	case TRACE_EQUAL:
		return a == b;
	case TRACE_LESS:
		return a < b;
	case TRACE_LESS_SIGNED:
		return (__s64)a < (__s64)b;
	default:
		return 0;
	}
}

static __always_inline struct trace_text *trace_text(struct trace_work *work, __u16 index)
{
	return &work->event.text[index & (TRACE_STRINGS - 1)];
}

static __always_inline void trace_string(struct trace_work *work, const struct trace_step *step,
					 bool user)
{
	struct trace_text *text = trace_text(work, step->index);
	void *from = (void *)(trace_pop(work) + step->value);

	__builtin_memset(text, 0, sizeof(*text)); /* texts are compared whole */
	if (user)
		bpf_probe_read_user_str(text->octets, sizeof(text->octets), from);
	else
		bpf_probe_read_kernel_str(text->octets, sizeof(text->octets), from);
}

static __always_inline __u64 trace_same(const struct trace_text *text, __u32 word)
{
	const struct trace_text *other = bpf_map_lookup_elem(&trace_words, &word);

	if (!other)
		return 0;
	for (unsigned int i = 0; i < TRACE_STRING_SIZE / 8; i++)
		if (((const __u64 *)text->octets)[i] != ((const __u64 *)other->octets)[i])
			return 0;
	return 1;
}

static __always_inline void trace_note_process(struct trace_opened *opened)
{
	__u64 id = bpf_get_current_pid_tgid();

	opened->pid = id >> 32;
	opened->tid = id;
	bpf_get_current_comm(opened->comm, sizeof(opened->comm));
}

static __always_inline bool trace_close(struct trace_work *work, const struct trace_step *step)
{
	struct trace_open_key key = {.id = trace_pop(work), .space = step->index};
	const struct trace_opened *opened = bpf_map_lookup_elem(&trace_open, &key);

	if (opened) {
		__builtin_memcpy(&work->closed, opened, sizeof(work->closed));
		if (bpf_map_delete_elem(&trace_open, &key))
			return false; /* once, whoever else closes it */
	} else {
		if (!step->size)
			return false;
		__builtin_memset(&work->closed, 0, sizeof(work->closed));
		work->closed.time = work->event.time;
		trace_note_process(&work->closed);
	}
	work->inherits = 1;
	work->context[CONTEXT_ELAPSED] = work->event.time - work->closed.time;
	work->context[CONTEXT_SAVED_PID] = work->closed.pid;
	work->context[CONTEXT_SAVED_TID] = work->closed.tid;
	return true;
}

/* Packets that are followed are open in a space of their own. */
static __always_inline bool trace_follow(struct trace_work *work, const struct trace_step *step)
{
	struct trace_open_key key = {.id = trace_pop(work), .space = step->index};
	bool of_flow = trace_pop(work) != 0;

	if (bpf_map_lookup_elem(&trace_open, &key))
		return true;
	if (!of_flow)
		return false;
	work->opened.time = work->event.time;
	/* With no room for it the packet is still seen here, and wherever its addresses are the flow's. */
	bpf_map_update_elem(&trace_open, &key, &work->opened, BPF_ANY);
	return true;
}

static __always_inline void trace_forget(struct trace_work *work, const struct trace_step *step)
{
	struct trace_open_key key = {.id = trace_pop(work), .space = step->index};

	bpf_map_delete_elem(&trace_open, &key);
}

/* One step; false: the recipe ends here. */
static __always_inline bool trace_step(struct trace_work *work, const struct trace_step *step)
{
	__u64 b;

	switch (step->operation) {
	case TRACE_END:
		return false;
	case TRACE_CONSTANT:
		trace_push(work, step->value);
		break;
	case TRACE_ARGUMENT:
		trace_push(work, step->index < TRACE_ARGUMENTS ? work->argument[step->index] : 0);
		break;
	case TRACE_RESULT:
		trace_push(work, work->result);
		break;
	case TRACE_RECORD:
		trace_push(work, work->record);
		break;
	case TRACE_CONTEXT:
		trace_push(work, step->index < CONTEXT_COUNT ? work->context[step->index] : 0);
		break;
	case TRACE_SAVED:
		trace_push(work, work->closed.number[step->index & (TRACE_VALUES - 1)]);
		break;
	case TRACE_READ:
		trace_push(work, trace_read(work, trace_pop(work) + step->value, step->size, false));
		break;
	case TRACE_READ_USER:
		trace_push(work, trace_read(work, trace_pop(work) + step->value, step->size, true));
		break;
	case TRACE_SIGN:
		trace_push(work, trace_sign(trace_pop(work), step->size));
		break;
	case TRACE_BITS:
		b = trace_pop(work) >> (step->index & 63);
		trace_push(work, step->size < 64 ? b & ((1ULL << (step->size & 63)) - 1) : b);
		break;
	case TRACE_SWAP:
		trace_push(work, trace_swap(trace_pop(work), step->size));
		break;
	case TRACE_NOT:
		trace_push(work, !trace_pop(work));
		break;
	case TRACE_PACKET:
		trace_read_packet(work, trace_pop(work));
		break;
	case TRACE_SOCKET:
		trace_read_socket(work, trace_pop(work));
		break;
	case TRACE_FRAME:
		trace_read_frame(work, trace_pop(work));
		break;
	case TRACE_TEST:
		work->passed = trace_pop(work) != 0;
		return work->passed;
	case TRACE_STORE:
		work->event.number[step->index & (TRACE_VALUES - 1)] = trace_pop(work);
		break;
	case TRACE_STRING:
		trace_string(work, step, false);
		break;
	case TRACE_STRING_USER:
		trace_string(work, step, true);
		break;
	case TRACE_COMM:
		__builtin_memset(trace_text(work, step->index), 0, sizeof(struct trace_text));
		bpf_get_current_comm(trace_text(work, step->index)->octets, sizeof(work->event.comm));
		break;
	case TRACE_FLOW:
		trace_push(work, trace_in_flow(work, step->index));
		break;
	case TRACE_FOLLOW:
		work->passed = trace_follow(work, step);
		return work->passed;
	case TRACE_FORGET:
		trace_forget(work, step);
		break;
	case TRACE_SAVED_COMM:
		__builtin_memset(trace_text(work, step->index), 0, sizeof(struct trace_text));
		__builtin_memcpy(trace_text(work, step->index)->octets, work->closed.comm, sizeof(work->closed.comm));
		break;
	case TRACE_SAME_STRING:
		trace_push(work, trace_same(trace_text(work, step->index), step->value));
		break;
	case TRACE_CLOSE:
		work->passed = trace_close(work, step);
		return work->passed;
	default:
		b = trace_pop(work);
		trace_push(work, trace_combine(step->operation, trace_pop(work), b));
		break;
	}
	return true;
}

struct trace_run {
	struct trace_work *work;
	const struct trace_recipe *recipe;
};

static long trace_next(__u32 i, void *context)
{
	struct trace_run *run = context;

	if (i >= TRACE_STEPS)
		return 1;
	return !trace_step(run->work, &run->recipe->steps[i]);
}

/* True if the event is one. By bpf_loop, one step is verified instead of all of them. */
static __always_inline bool trace_run(struct trace_work *work, const struct trace_recipe *recipe)
{
	struct trace_run run = {.work = work, .recipe = recipe};

	work->depth = 0;
	work->passed = 1;
	work->inherits = 0;
	bpf_loop(TRACE_STEPS, trace_next, &run, 0);
	return work->passed;
}
