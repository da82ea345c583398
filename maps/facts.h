/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parser knows of a packet: one 64-bit number per fact, in host byte order, so that a rule
 * is compiled to comparisons of numbers. 0 where the packet has no such field; a rule on a field
 * therefore tests the presence of its header first (FACT_ETHER_TYPE, FACT_TRANSPORT).
 */
#pragma once

#include "abi.h"

enum fact {
	FACT_IFNAME_HI, /* the interface's name as a 16-octet big-endian number, zero-filled */
	FACT_IFNAME_LO,
	FACT_ETHER_SADDR, /* 48 bits */
	FACT_ETHER_DADDR,
	FACT_ETHER_TYPE, /* behind any VLAN tags */
	FACT_VLAN_ID,    /* outermost tag: VLAN_PRESENT | VLAN identifier; 0 without a tag */
	FACT_SADDR_HI,   /* IPv6: upper 64 bits; IPv4: 0 */
	FACT_SADDR_LO,   /* IPv6: lower 64 bits; IPv4: the address */
	FACT_DADDR_HI,
	FACT_DADDR_LO,
	FACT_DSCP,     /* 6 bits */
	FACT_FRAG_OFF, /* IPv4: flags and fragment offset, the 16-bit field of RFC 791; IPv6: 0 */
	FACT_L4PROTO,  /* last header of the chain; a later fragment has one too. L4PROTO_NONE if not IP */
	FACT_TRANSPORT, /* FACT_L4PROTO where its header is in this packet, else L4PROTO_NONE */
	FACT_SPORT,
	FACT_DPORT,
	FACT_TCP_FLAGS, /* CWR ECE URG ACK PSH RST SYN FIN, 8 bits */
	FACT_ICMP_TYPE, /* ICMP and ICMPv6; FACT_TRANSPORT tells them apart */
	FACT_ICMP_CODE,
	FACT_SADDR_SETS, /* bit N: the address is an element of set N (struct set_mask) */
	FACT_DADDR_SETS,
	FACT_SPORT_SETS,
	FACT_DPORT_SETS,
	FACT_COUNT,
};

#define VLAN_PRESENT 0x1000
#define L4PROTO_NONE 0x100 /* above every IP protocol number */
