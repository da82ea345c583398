// SPDX-License-Identifier: GPL-2.0-only
/* A dispatcher that libxdp can use in place of its own, after libxdp's "Protocol for atomic loading
 * of multi-prog dispatchers", version 2. The names and the layout of `conf` are the protocol's.
 *
 * libxdp 1.3's own has stubs that leave the packet alone. Kernels from 6.13 on, and stable ones
 * before, let such a function be replaced only by one that does so too; Weir's does not. */
#include "bpf.h"

#define SLOTS	      10
#define STUB_UNUSED   31 /* a stub's answer when nothing replaced it; always in chain_call_actions */
#define VERSION	      2

struct xdp_dispatcher_config {
	__u8 magic;
	__u8 dispatcher_version;
	__u8 num_progs_enabled;
	__u8 is_xdp_frags;
	__u32 chain_call_actions[SLOTS]; /* bit per XDP_*: go on with the next program */
	__u32 run_prios[SLOTS];
	__u32 program_flags[SLOTS];
};

/* libxdp fills it before it loads: to the verifier these are constants. */
static const volatile struct xdp_dispatcher_config conf = {};

/* The call that changes the packet stands where the program never comes, as there are at most
 * SLOTS programs. The kernel looks for it in the code, before it drops what cannot be reached. */
#define STUB(name)                                                                                 \
	__attribute__((noinline)) int name(struct xdp_md *ctx)                                     \
	{                                                                                          \
		volatile int answer = STUB_UNUSED; /* else it would be folded into the caller */   \
                                                                                                   \
		if (conf.num_progs_enabled > SLOTS)                                                \
			return bpf_xdp_adjust_head(ctx, 0);                                        \
		return answer;                                                                     \
	}

STUB(prog0)
STUB(prog1)
STUB(prog2)
STUB(prog3)
STUB(prog4)
STUB(prog5)
STUB(prog6)
STUB(prog7)
STUB(prog8)
STUB(prog9)
STUB(compat_test) /* libxdp tries freplace on it */

static __always_inline int goes_on(int slot, int action)
{
	return action >= 0 && action <= STUB_UNUSED &&
	       (conf.chain_call_actions[slot] & (1U << action)) != 0;
}

#define RUN(slot)                                                                                  \
	do {                                                                                       \
		if (conf.num_progs_enabled <= (slot))                                              \
			return XDP_PASS;                                                           \
		action = prog##slot(ctx);                                                          \
		if (!goes_on(slot, action))                                                        \
			return action;                                                             \
	} while (0)

SEC("xdp")
int xdp_dispatcher(struct xdp_md *ctx)
{
	int action;

	RUN(0);
	RUN(1);
	RUN(2);
	RUN(3);
	RUN(4);
	RUN(5);
	RUN(6);
	RUN(7);
	RUN(8);
	RUN(9);
	/* A function that nobody calls is left out of the loaded program. */
	if (conf.num_progs_enabled > SLOTS)
		return compat_test(ctx);
	return XDP_PASS;
}

/* What libxdp replaces compat_test by. */
SEC("xdp")
int xdp_pass(struct xdp_md *ctx)
{
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
__uint(dispatcher_version, VERSION) SEC("xdp_metadata");
