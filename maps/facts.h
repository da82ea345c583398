/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is known of a packet, as numbers in host byte order. Rules compare facts: parts of the
 * packet's 64-bit words. A fact is 0 where the packet has no such field; a rule on a field therefore
 * first tests that its header is there (FACT_ETHER_TYPE, FACT_TRANSPORT).
 */
#pragma once

#include "abi.h"

/* What the parser fills in and the stages read: one cache line. */
struct packet {
	__u64 saddr_hi; /* IPv6: upper 64 bits; IPv4: 0 */
	__u64 saddr_lo; /* IPv6: lower 64 bits; IPv4: the address */
	__u64 daddr_hi;
	__u64 daddr_lo;
	__u16 sport;
	__u16 dport;
	__u16 ether_type; /* after any VLAN tags */
	__u16 vlan;	  /* outermost tag: VLAN_PRESENT | VLAN identifier; 0 without a tag */
	__u16 transport; /* l4proto if its header is in this packet, else L4PROTO_NONE */
	__u16 l4proto;	 /* last header of the chain, also of a later fragment; L4PROTO_NONE if not IP */
	__u16 frag_off;	 /* IPv4: flags and fragment offset, the 16-bit field of RFC 791; IPv6: 0 */
	__u8 tos;	 /* IPv4 TOS, IPv6 traffic class */
	__u8 tcp_flags;	 /* CWR ECE URG ACK PSH RST SYN FIN */
	__u8 icmp_type;	 /* ICMP and ICMPv6; `transport` tells them apart */
	__u8 icmp_code;
	__u8 kind;	 /* enum packet_kind */
	__u8 classes;	 /* bit per enum packet_class */
	__u32 frame_len; /* bytes as received, all buffers, no FCS */
	__u32 ip_len;	 /* bytes from the IP header to the end of its payload */
	__u8 l3_offset;	 /* bytes from the start of the frame */
	__u8 segmented;	 /* 1: an skb that the kernel will segment; its length fields may be 0 */
	__u16 l4_offset;
};
ABI_ASSERT(packet, 64);

/* What rules compare. The members after the packet only if some rule does (enum rare_fact), else 0. */
struct facts {
	struct packet packet;
	__u64 ether_saddr; /* 48 bits */
	__u64 ether_daddr;
	__u64 ifname_hi; /* the interface's name as a 16-byte big-endian number, zero-filled */
	__u64 ifname_lo;
	__u64 saddr_sets; /* bit N: the address is an element of set N (struct set_mask) */
	__u64 daddr_sets;
	__u64 sport_sets;
	__u64 dport_sets;
};
ABI_ASSERT(facts, 128);

#define PACKET_WORDS 8 /* of 64 bits, of struct packet */
#define FACT_WORDS   16 /* of struct facts */

#define VLAN_PRESENT 0x1000
#define L4PROTO_NONE 0x100 /* above every IP protocol number */

/* X(enumerator, member of struct facts, lowest bit there, bits) */
#define WEIR_FACTS(X)                                                                              \
	X(FACT_IFNAME_HI, ifname_hi, 0, 64)                                                        \
	X(FACT_IFNAME_LO, ifname_lo, 0, 64)                                                        \
	X(FACT_ETHER_SADDR, ether_saddr, 0, 64)                                                    \
	X(FACT_ETHER_DADDR, ether_daddr, 0, 64)                                                    \
	X(FACT_ETHER_TYPE, packet.ether_type, 0, 16)                                               \
	X(FACT_VLAN_ID, packet.vlan, 0, 16)                                                        \
	X(FACT_SADDR_HI, packet.saddr_hi, 0, 64)                                                   \
	X(FACT_SADDR_LO, packet.saddr_lo, 0, 64)                                                   \
	X(FACT_DADDR_HI, packet.daddr_hi, 0, 64)                                                   \
	X(FACT_DADDR_LO, packet.daddr_lo, 0, 64)                                                   \
	X(FACT_DSCP, packet.tos, 2, 6)                                                             \
	X(FACT_FRAG_OFF, packet.frag_off, 0, 16)                                                   \
	X(FACT_L4PROTO, packet.l4proto, 0, 16)                                                     \
	X(FACT_TRANSPORT, packet.transport, 0, 16)                                                 \
	X(FACT_SPORT, packet.sport, 0, 16)                                                         \
	X(FACT_DPORT, packet.dport, 0, 16)                                                         \
	X(FACT_TCP_FLAGS, packet.tcp_flags, 0, 8)                                                  \
	X(FACT_ICMP_TYPE, packet.icmp_type, 0, 8)                                                  \
	X(FACT_ICMP_CODE, packet.icmp_code, 0, 8)                                                  \
	X(FACT_SADDR_SETS, saddr_sets, 0, 64)                                                      \
	X(FACT_DADDR_SETS, daddr_sets, 0, 64)                                                      \
	X(FACT_SPORT_SETS, sport_sets, 0, 64)                                                      \
	X(FACT_DPORT_SETS, dport_sets, 0, 64)

enum fact {
#define X(enumerator, member, low, bits) enumerator,
	WEIR_FACTS(X)
#undef X
	FACT_COUNT,
};

/* Facts that cost something to find out: each only if a rule of the generation compares it. */
enum rare_fact {
	RARE_ETHER = 1 << 0, /* both MAC addresses */
	RARE_IFNAME = 1 << 1,
	RARE_SADDR_SETS = 1 << 2,
	RARE_DADDR_SETS = 1 << 3,
	RARE_SPORT_SETS = 1 << 4,
	RARE_DPORT_SETS = 1 << 5,
};

/*
 * Each kind of packet has a list of rules of its own, without the tests that the kind answers. TCP,
 * UDP and ICMP mean that the header is in this packet; ICMP of IPv6 is ICMPv6.
 */
enum packet_kind {
	KIND_NOT_IP,
	KIND_IPV4_TCP,
	KIND_IPV4_UDP,
	KIND_IPV4_ICMP,
	KIND_IPV4_OTHER,
	KIND_IPV6_TCP,
	KIND_IPV6_UDP,
	KIND_IPV6_ICMP,
	KIND_IPV6_OTHER,
	KIND_COUNT,
};
