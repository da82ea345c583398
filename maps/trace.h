/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a tracing session tells its programs, and what they tell it. Nothing here is pinned: maps and
 * programs of a session end with its command.
 *
 * The programs are compiled ahead of time and know no probe: what one computes is a recipe, a program
 * of a small stack machine in trace_recipes, which `weir` makes of the user's words and of the running
 * kernel's types.
 */
#pragma once

#include "abi.h"

#define TRACE_RECIPES	  256  /* recipes of a session; several probes share one */
#define TRACE_STEPS	  64   /* of a recipe */
#define TRACE_ARGUMENTS	  12   /* of a function or raw tracepoint that can be seen */
#define TRACE_VALUES	  16   /* numbers of an event */
#define TRACE_STRINGS	  4    /* texts of an event */
#define TRACE_STRING_SIZE 64   /* octets of a text, with the 0 behind it; longer ones are cut */
#define TRACE_STACK	  8    /* depth of the machine's stack; power of two */
#define TRACE_FRAMES	  127  /* of a kernel or user stack: the kernel's own limit (perf_event_max_stack) */
#define TRACE_SLOTS	  128  /* of a histogram */

/* What a step does with the stack: "a b -> c" takes b, which is on top, and a, and leaves c. */
enum trace_operation {
	TRACE_END,
	TRACE_CONSTANT, /* -> `value` */
	TRACE_ARGUMENT, /* -> argument `index`, from 0 */
	TRACE_RESULT,	/* -> what the function returned */
	TRACE_RECORD,	/* -> address of the tracepoint's record */
	TRACE_CONTEXT,	/* -> enum trace_context `index` */
	TRACE_SAVED,	/* -> number `index` of the event that opened what was closed */
	TRACE_READ,	/* address -> unsigned integer of `size` octets at address + `value`, 0 if unreadable */
	TRACE_READ_USER, /* the same in the process's memory */
	TRACE_SIGN,	/* integer of `size` octets -> the same, sign-extended */
	TRACE_BITS,	/* integer -> `size` bits of it from bit `index` on */
	TRACE_SWAP,	/* integer of `size` octets -> the same from network byte order */
	TRACE_ADD,	/* a b -> a + b; and so on */
	TRACE_SUBTRACT,
	TRACE_MULTIPLY,
	TRACE_DIVIDE, /* by 0: 0 */
	TRACE_AND,
	TRACE_OR,
	TRACE_XOR,
	TRACE_SHIFT_LEFT,
	TRACE_SHIFT_RIGHT,
	TRACE_EQUAL, /* a b -> 1 or 0 */
	TRACE_LESS,  /* unsigned */
	TRACE_LESS_SIGNED,
	TRACE_NOT,    /* a -> 1 if a is 0, else 0 */
	TRACE_PACKET, /* address of a struct sk_buff -> ; its addresses become context */
	TRACE_SOCKET, /* address of a struct sock -> ; the same */
	TRACE_FRAME,  /* address of a struct xdp_buff -> ; the same */
	TRACE_TEST,   /* a -> ; 0: the event is none */
	TRACE_STORE,  /* a -> ; number `index` of the event */
	TRACE_STRING, /* address + `value` -> ; text `index` of the event, from kernel memory */
	TRACE_STRING_USER,
	TRACE_COMM,   /* -> ; text `index` of the event: the thread's name */
	TRACE_SAME_STRING, /* -> 1 if text `index` is trace_words[value], else 0 */
	TRACE_CLOSE,  /* id -> ; takes what was opened under that id in space `index`; none: the event is none,
		       * or, with `size` 1, it is as if the event's process had opened it now */
	TRACE_FLOW,   /* -> 1 if the packet whose addresses are context, or one inside of it, is of flow `index`, else 0 */
	TRACE_FOLLOW, /* a id -> ; the packet of that id is followed if a is not 0, or if it was before; else the event is none */
	TRACE_FORGET, /* id -> ; it is not followed any more */
	TRACE_SAVED_COMM, /* -> ; text `index` of the event: the name of the thread that opened what was closed */
};

struct trace_step {
	__u8 operation; /* enum trace_operation */
	__u8 size;
	__u16 index;
	__u32 reserved;
	__s64 value;
};
ABI_ASSERT(trace_step, 16);

enum trace_context {
	CONTEXT_NOW, /* ns of CLOCK_MONOTONIC */
	CONTEXT_PID, /* process: the kernel's tgid */
	CONTEXT_TID,
	CONTEXT_UID,
	CONTEXT_CPU,
	CONTEXT_CGROUP,
	CONTEXT_TASK,	 /* address of the task_struct */
	CONTEXT_FUNCTION,	 /* address of the traced function */
	CONTEXT_STACK,	 /* kernel stack: key in trace_stacks, or a negative errno */
	CONTEXT_USER_STACK, /* the same of the process */
	CONTEXT_ELAPSED,	 /* ns since what TRACE_CLOSE closed was opened */
	CONTEXT_SAVED_PID, /* who opened it */
	CONTEXT_SAVED_TID,
	CONTEXT_FAMILY,	 /* AF_INET, AF_INET6; 0: neither. From here on: enum trace_tuple */
	CONTEXT_PROTOCOL,	 /* IPPROTO_… */
	CONTEXT_SADDR_HIGH, /* first 64 bits, as a number; IPv4 is ::ffff:a.b.c.d (RFC 4291, 2.5.5.2) */
	CONTEXT_SADDR_LOW,
	CONTEXT_DADDR_HIGH,
	CONTEXT_DADDR_LOW,
	CONTEXT_SPORT, /* host byte order; 0: none */
	CONTEXT_DPORT,
	CONTEXT_COUNT,
};

/* What tells packets of one connection from others; see CONTEXT_FAMILY … CONTEXT_DPORT. */
enum trace_tuple {
	TUPLE_FAMILY,
	TUPLE_PROTOCOL,
	TUPLE_SADDR_HIGH,
	TUPLE_SADDR_LOW,
	TUPLE_DADDR_HIGH,
	TUPLE_DADDR_LOW,
	TUPLE_SPORT,
	TUPLE_DPORT,
	TUPLE_SIZE,
};

#define TRACE_FLOWS 2

/* A packet is of it if its tuple, masked, is the value. */
struct trace_flow {
	__u64 mask[TUPLE_SIZE];
	__u64 value[TUPLE_SIZE];
};
ABI_ASSERT(trace_flow, 16UL * TUPLE_SIZE);

/* What becomes of an event that passed its tests. */
enum trace_sink {
	TRACE_NOTHING,
	TRACE_EVENT, /* into trace_events */
	TRACE_COUNT, /* into trace_totals, by the first numbers and texts */
	TRACE_HISTOGRAM, /* the same, and by the slot of a number */
	TRACE_OPEN,  /* remembered under number 0 until it is closed */
};

/* How a number becomes a slot of a histogram. */
enum trace_scale {
	TRACE_LOG2,   /* slot 0: 0; slot n: 2^(n-1) to 2^n - 1; negative: slot 127 */
	TRACE_LINEAR, /* (number - from) / width, cut to 0 … TRACE_SLOTS - 1 */
};

struct trace_recipe {
	struct trace_step steps[TRACE_STEPS];
	__u32 sink;	    /* enum trace_sink */
	__u32 numbers;	    /* of an event */
	__u32 texts;	    /* of an event */
	__u32 keys;	    /* of its numbers, from the first on, that tell totals apart; behind them
			     * follow what is summed up, the first of which a histogram is of */
	__u32 scale;	    /* enum trace_scale */
	__u32 space;	    /* of TRACE_OPEN */
	__s64 from;	    /* of TRACE_LINEAR */
	__u64 width;
	__u32 stacks;	    /* 1: kernel, 2: user */
	__u32 own_process;  /* 1: what it opens has the event's process, whatever it closes */
};
ABI_ASSERT(trace_recipe, 16 * TRACE_STEPS + 48);

/* An attach cookie: which probe it is, and which recipe it has. */
#define TRACE_COOKIE(probe, recipe) (((__u64)(recipe) << 32) | (__u32)(probe))

struct trace_text {
	char octets[TRACE_STRING_SIZE]; /* 0 behind the end */
};
ABI_ASSERT(trace_text, TRACE_STRING_SIZE);

/* As long as its numbers and texts are: texts follow the last number. */
struct trace_event {
	__u64 time; /* ns of CLOCK_MONOTONIC */
	__u32 probe;
	__u32 cpu;
	__u32 pid;
	__u32 tid;
	char comm[16];
	__u32 numbers;
	__u32 texts;
	__u64 number[TRACE_VALUES];
	struct trace_text text[TRACE_STRINGS];
};
ABI_ASSERT(trace_event, 48 + 8 * TRACE_VALUES + TRACE_STRINGS * TRACE_STRING_SIZE);

#define TRACE_KEYS 12 /* a 5-tuple is seven of them */
#define TRACE_SUMS 2

/* What totals are told apart by. */
struct trace_key {
	__u32 probe;
	__u32 slot; /* of a histogram */
	__u64 number[TRACE_KEYS];
	struct trace_text text[2];
};
ABI_ASSERT(trace_key, 8 + 8 * TRACE_KEYS + 2 * TRACE_STRING_SIZE);

struct trace_total {
	__u64 events;
	__u64 sum[TRACE_SUMS]; /* as signed 64 bits */
};
ABI_ASSERT(trace_total, 8 + 8 * TRACE_SUMS);

/* What waits to be closed. What is opened by an event that closes something has the process of that. */
struct trace_open_key {
	__u64 id;
	__u64 space;
};
ABI_ASSERT(trace_open_key, 16);

struct trace_opened {
	__u64 time;
	__u32 probe;
	__u32 reserved;
	__u32 pid;
	__u32 tid;
	char comm[16];
	__u64 number[TRACE_VALUES];
};
ABI_ASSERT(trace_opened, 40 + 8 * TRACE_VALUES);

/* The session's books, of each bench: what works there is alone, so that no interrupt loses a count. */
struct trace_books {
	__u64 fired;	 /* a probe was hit */
	__u64 refused;	 /* by its tests, or closed nothing */
	__u64 taken;	 /* by its sink */
	__u64 lost;	 /* no room: in the ring, the totals, or among what waits */
	__u64 unreadable; /* reads of memory that failed, and gave 0 */
	__u64 timed;	 /* one in TRACE_TIMED of those that fired */
	__u64 timed_ns;	 /* what they took, without the way into the probe */
};
ABI_ASSERT(trace_books, 56);

#define TRACE_TIMED 64

/* What a probe works with: its bench. User space reads the books alone. */
struct trace_work {
	struct trace_books books;
	__u64 argument[TRACE_ARGUMENTS];
	__u64 result;
	__u64 record;
	__u64 context[CONTEXT_COUNT];
	__u64 inside; /* address of the IP header in the packet that is context; 0: none */
	__u64 inner[TUPLE_SIZE];
	__u64 stack[TRACE_STACK];
	__u32 depth;
	__u32 passed; /* no test has failed */
	__u32 inherits; /* something was closed: `closed` has its process */
	__u32 reserved;
	struct trace_opened closed;
	struct trace_key key;
	struct trace_opened opened;
	struct trace_event event;
};

/*
 * A probe may be hit while another is at work on its CPU: by an interrupt, or, with programs that
 * can be preempted, by the next thread. Each takes a bench of its own; with none free it is nested.
 */
#define TRACE_BENCHES 4

/* Of each CPU. */
struct trace_desk {
	__u64 nested; /* hit while no bench was free */
	__u32 taken;  /* bit n: bench n is */
	__u32 reserved;
};
ABI_ASSERT(trace_desk, 16);

#ifdef __bpf__
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, TRACE_RECIPES);
	__type(key, __u32);
	__type(value, struct trace_recipe);
} trace_recipes SEC(".maps");

/* Texts that recipes compare with. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, struct trace_text);
} trace_words SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, TRACE_FLOWS);
	__type(key, __u32);
	__type(value, struct trace_flow);
} trace_flows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 22); /* octets; the session may change it */
} trace_events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 10240);
	__type(key, struct trace_key);
	__type(value, struct trace_total);
} trace_totals SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, struct trace_open_key);
	__type(value, struct trace_opened);
} trace_open SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_STACK_TRACE);
	__uint(max_entries, 16384);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, TRACE_FRAMES * sizeof(__u64));
} trace_stacks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, TRACE_BENCHES);
	__type(key, __u32);
	__type(value, struct trace_work);
} trace_benches SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct trace_desk);
} trace_desks SEC(".maps");
#endif
