/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

#include "parse/cursor.h"

#define TCP_MIN_LEN 20
#define UDP_LEN	    8
#define ICMP_LEN    8
#define ICMP_ECHO	    8 /* RFC 792 */
#define ICMP_ECHO_REPLY	    0
#define ICMPV6_ECHO_REQUEST 128 /* RFC 4443, 4.1 */
#define ICMPV6_ECHO_REPLY   129
#define ND_FIRST    133 /* router solicitation; RFC 4861, 4 */
#define ND_LAST	    137 /* redirect */
#define ND_HOPS	    255 /* RFC 4861, 11.2: never forwarded */

/*
 * The flag octet of a TCP header, CWR to FIN. The UAPI structure has bit-fields, which would be
 * read octet by octet.
 */
#define TCP_OFFSET_OCTET 12
#define TCP_FLAGS_OCTET	 13
#define TCP_FIN		 0x01
#define TCP_SYN		 0x02
#define TCP_RST		 0x04
#define TCP_ACK		 0x10

#define QUIC_INITIAL_MIN 1200	    /* bytes of UDP payload; RFC 9000, 14.1 */
#define QUIC_V2		 0x6b3343cf /* RFC 9369 */

static __always_inline void set_ports(struct packet *pkt, __be16 sport, __be16 dport)
{
	pkt->sport = bpf_ntohs(sport);
	pkt->dport = bpf_ntohs(dport);
}

static __always_inline struct outcome parse_tcp(struct cursor *c, struct packet *pkt)
{
	const __u8 *tcp = cursor_take(c, TCP_MIN_LEN);
	__u32 header_len;

	if (!tcp)
		return cursor_short(c, TCP_MIN_LEN);
	header_len = tcp[TCP_OFFSET_OCTET] >> 4 << 2; /* in 32-bit words; RFC 9293, 3.1 */
	if (header_len < TCP_MIN_LEN)
		return drop(REASON_BAD_TCP_HEADER);
	if (header_len - TCP_MIN_LEN > c->left)
		return drop(REASON_TRUNCATED);
	set_ports(pkt, *(const __be16 *)tcp, *(const __be16 *)(tcp + 2));
	pkt->tcp_flags = tcp[TCP_FLAGS_OCTET];
	return next_stage();
}

static __always_inline struct outcome parse_udp(struct cursor *c, struct packet *pkt)
{
	const struct udphdr *udp = cursor_take(c, UDP_LEN);
	__u32 len;

	if (!udp)
		return cursor_short(c, UDP_LEN);
	len = bpf_ntohs(udp->len);
	/* A first fragment announces the whole datagram; an skb to be segmented, all segments. */
	if (len < UDP_LEN ||
	    (len - UDP_LEN > c->left && !has_class(pkt, CLASS_FRAGMENT) && !pkt->segmented))
		return drop(REASON_BAD_LENGTH);
	set_ports(pkt, udp->source, udp->dest);
	return next_stage();
}

/* ICMP and ICMPv6 alike. The UAPI's <linux/icmp.h> wants a C library. */
struct icmp {
	__u8 type;
	__u8 code;
	__be16 checksum;
	__be32 rest;
};

static __always_inline struct outcome parse_icmp(struct cursor *c, struct packet *pkt)
{
	const struct icmp *icmp = cursor_take(c, ICMP_LEN);

	if (!icmp)
		return cursor_short(c, ICMP_LEN);
	pkt->icmp_type = icmp->type;
	pkt->icmp_code = icmp->code;
	return next_stage();
}

static __always_inline struct outcome parse_icmpv6(struct cursor *c, struct packet *pkt, __u8 hops)
{
	struct outcome parsed = parse_icmp(c, pkt);

	if (parsed.verdict == NEXT_STAGE && pkt->icmp_type >= ND_FIRST &&
	    pkt->icmp_type <= ND_LAST && hops == ND_HOPS && !pkt->icmp_code &&
	    !has_class(pkt, CLASS_FRAGMENT))
		add_class(pkt, CLASS_NEIGHBOUR_DISCOVERY);
	return parsed;
}

/* `c` stands on the transport header of an unfragmented packet or a first fragment. */
static __always_inline struct outcome parse_transport(struct cursor *c, struct packet *pkt,
						      __u8 proto, __u8 hops)
{
	struct outcome parsed = next_stage();

	pkt->l4_offset = c->offset;
	pkt->transport = proto;
	if (proto == IPPROTO_TCP)
		parsed = parse_tcp(c, pkt);
	else if (proto == IPPROTO_UDP)
		parsed = parse_udp(c, pkt);
	else if (proto == IPPROTO_ICMP && is_ipv4(pkt))
		parsed = parse_icmp(c, pkt);
	else if (proto == IPPROTO_ICMPV6 && is_ipv6(pkt))
		parsed = parse_icmpv6(c, pkt, hops);

	/* The rest of such a header comes in a later fragment, behind every rule on ports. */
	if (parsed.reason == REASON_TRUNCATED && has_class(pkt, CLASS_FRAGMENT))
		return drop(REASON_TINY_FRAGMENT);
	return parsed;
}
