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

/*
 * Flows that take turns, each lap the next one: their client's address and port are written into the header. A
 * header for each of a million would be fetched from memory, as no driver's are.
 */
struct rearm_flows {
	__u32 count; /* below 2: headers stay as they are */
	__u32 saddr; /* of flow 0: the address, of IPv6 its lowest 32 bits; host byte order */
	__u16 saddr_at; /* offset of these 32 bits in the header */
	__u16 sport_at; /* 0: there is no port */
	__u16 ip_sum_at; /* of checksums over them; 0: there is none */
	__u16 l4_sum_at;
};

/* Flow n has address saddr + REARM_ADDRESS(n), and port REARM_PORT(n): 65,536 addresses, on which ports differ, too. */
#define REARM_ADDRESS(n) ((n) & 0xffff)
#define REARM_PORT(n) (1024 + (((n) >> 16) + REARM_ADDRESS(n) * 7919) % 60000)

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
	struct rearm_flows flows;

	__u64 start; /* where the frame's first octet lies; 0: not seen yet */
	__u64 here;  /* where it lies in this lap */
	__u64 next;  /* header of the next lap */
	__u64 next_flow;
	__u64 answers[REARM_ANSWERS]; /* laps by what the program answered, plus 1 */
	__u64 not_restored; /* laps without a call: the frame could not be made what it was */
	__u64 not_called;   /* laps without a call: there is no such program */
};
