/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What rearm.bpf.c and `weir bench` share: the packets that a program under test is given lap after
 * lap, and what it answered.
 */
#pragma once

#include <linux/types.h>

#define REARM_HEADER_MAX 128 /* octets; Ethernet to L4, two IPv6 headers included */

/* How a frame begins; every lap takes the next one. */
struct rearm_header {
	__u8 octets[REARM_HEADER_MAX];
};

/* Entries of xdp_programs and tc_programs. */
#define REARM_EMPTY	 0 /* the floor: XDP_PASS or TC_ACT_UNSPEC at once */
#define REARM_UNDER_TEST 1
#define REARM_PROGRAMS 2

/* Answers are counted one up, for TC_ACT_UNSPEC is -1; beyond the last: in the last. */
#define REARM_ANSWERS 16

/* What a call that did not happen answers: no action has this number. */
#define REARM_NO_ANSWER 0x7ead

/* One run. What stands before `start` is set by `weir bench`, the rest is 0 when a run begins. */
struct rearm {
	__u32 program;	  /* entry of xdp_programs or tc_programs */
	__u32 frame_len;  /* octets, Ethernet header to end of frame, no FCS */
	__u32 header_len; /* of them, octets that every lap writes again; 14..REARM_HEADER_MAX */
	__u32 headers;	  /* entries of rearm_headers that take turns */
	__s32 no_answer;  /* REARM_NO_ANSWER */
	__u32 reserved;

	__u64 start; /* where the frame's first octet lies; 0: not seen yet */
	__u64 here;  /* where it lies in this lap */
	__u64 next;  /* header of the next lap */
	__u64 answers[REARM_ANSWERS]; /* laps by what the program answered, plus 1 */
	__u64 not_restored; /* laps without a call: the frame could not be made what it was */
	__u64 not_called;   /* laps without a call: there is no such program */
};
