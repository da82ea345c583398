/* SPDX-License-Identifier: GPL-2.0-only */
/* What becomes of an event. Every one that finds no room is counted as lost. */
#pragma once

#include "trace/machine.h"
#include "trace/work.h"

static __always_inline long trace_emit(struct trace_work *work, const struct trace_recipe *recipe)
{
	struct trace_event *event = &work->event;
	__u32 numbers = recipe->numbers, texts = recipe->texts, size;
	__u64 id = bpf_get_current_pid_tgid();

	if (numbers > TRACE_VALUES || texts > TRACE_STRINGS)
		return -1;
	event->cpu = bpf_get_smp_processor_id();
	event->pid = id >> 32;
	event->tid = id;
	bpf_get_current_comm(event->comm, sizeof(event->comm));
	event->numbers = numbers;
	event->texts = texts;
	/* Numbers that are not there are sent too where there are texts: these have a fixed place. */
	size = texts ? __builtin_offsetof(struct trace_event, text) + texts * TRACE_STRING_SIZE
		     : __builtin_offsetof(struct trace_event, number) + numbers * sizeof(__u64);
	asm volatile("" : "+r"(size)); /* the compiler knows that it is small; the verifier does not */
	if (size > sizeof(*event))
		return -1;
	return bpf_ringbuf_output(&trace_events, event, size, 0);
}

/* Binary digits of a number: 0 has none. */
static __always_inline __u32 trace_digits(__u64 value)
{
	__u32 digits = 0;

	for (int step = 32; step; step /= 2) {
		if (value >> step) {
			value >>= step;
			digits += step;
		}
	}
	return digits + (value != 0);
}

static __always_inline __u32 trace_slot(const struct trace_recipe *recipe, __u64 value)
{
	__s64 beyond;

	if (recipe->scale == TRACE_LOG2)
		return (__s64)value < 0 ? TRACE_SLOTS - 1 : trace_digits(value);
	beyond = (__s64)value - recipe->from;
	if (beyond < 0 || !recipe->width)
		return 0;
	value = (__u64)beyond / recipe->width;
	return value < TRACE_SLOTS ? value : TRACE_SLOTS - 1;
}

static __always_inline long trace_count(struct trace_work *work, const struct trace_recipe *recipe)
{
	struct trace_key *key = &work->key;
	struct trace_total first = {}, *total;
	__u32 measured = recipe->keys;

	__builtin_memset(key, 0, sizeof(*key));
	key->probe = work->event.probe;
	if (recipe->sink == TRACE_HISTOGRAM)
		key->slot = trace_slot(recipe, work->event.number[measured & (TRACE_VALUES - 1)]);
	for (__u32 i = 0; i < TRACE_KEYS; i++)
		if (i < recipe->keys)
			key->number[i] = work->event.number[i];
	for (__u32 i = 0; i < 2; i++)
		if (i < recipe->texts)
			__builtin_memcpy(&key->text[i], &work->event.text[i], sizeof(key->text[i]));
	total = bpf_map_lookup_elem(&trace_totals, key);
	if (!total) {
		/* Another may have been faster, on another CPU; then ours is there, and 0. */
		bpf_map_update_elem(&trace_totals, key, &first, BPF_NOEXIST);
		total = bpf_map_lookup_elem(&trace_totals, key);
		if (!total)
			return -1;
	}
	/* An interrupt may count on the same CPU. */
	__sync_fetch_and_add(&total->events, 1);
	for (__u32 i = 0; i < TRACE_SUMS; i++, measured++)
		if (measured < recipe->numbers)
			__sync_fetch_and_add(&total->sum[i], work->event.number[measured & (TRACE_VALUES - 1)]);
	return 0;
}

static __always_inline long trace_remember(struct trace_work *work, const struct trace_recipe *recipe)
{
	struct trace_open_key key = {.id = work->event.number[0], .space = recipe->space};

	work->opened.time = work->event.time;
	work->opened.probe = work->event.probe;
	if (work->inherits && !recipe->own_process) {
		work->opened.pid = work->closed.pid;
		work->opened.tid = work->closed.tid;
		__builtin_memcpy(work->opened.comm, work->closed.comm, sizeof(work->opened.comm));
	} else {
		trace_note_process(&work->opened);
	}
	__builtin_memcpy(work->opened.number, work->event.number, sizeof(work->opened.number));
	return bpf_map_update_elem(&trace_open, &key, &work->opened, BPF_ANY);
}

static __always_inline void trace_sink(struct trace_work *work, const struct trace_recipe *recipe)
{
	long error = 0;

	switch (recipe->sink) {
	case TRACE_EVENT:
		error = trace_emit(work, recipe);
		break;
	case TRACE_COUNT:
	case TRACE_HISTOGRAM:
		error = trace_count(work, recipe);
		break;
	case TRACE_OPEN:
		error = trace_remember(work, recipe);
		break;
	}
	if (error)
		work->books.lost++;
	else
		work->books.taken++;
}
