/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

#include "parse/transport.h"

#define IPV4_MIN_LEN	  20
#define IPV4_FRAG_OFFSET  0x1fff
#define IPV4_MORE_FRAGS	  0x2000
#define IPV4_DONT_FRAG	  0x4000

static __always_inline struct outcome parse_ipv4(struct cursor *c, struct packet *pkt)
{
	const struct iphdr *ip = cursor_take(c, IPV4_MIN_LEN);
	__u32 header_len, total_len, frag_off;

	if (!ip)
		return cursor_short(c, IPV4_MIN_LEN);
	if (ip->version != 4)
		return drop(REASON_BAD_IP_VERSION);
	header_len = ip->ihl * 4; /* ihl counts 32-bit words; RFC 791, 3.1 */
	if (header_len < IPV4_MIN_LEN)
		return drop(REASON_BAD_IP_HEADER);

	total_len = bpf_ntohs(ip->tot_len);
	if (total_len == 0 && exceeds_length_field(pkt, c))
		total_len = c->left + IPV4_MIN_LEN;
	if (total_len < header_len || total_len - IPV4_MIN_LEN > c->left)
		return drop(REASON_BAD_LENGTH);
	/* From here on what lies behind the IP packet is padding, not header. */
	c->left = total_len - IPV4_MIN_LEN;

	frag_off = bpf_ntohs(ip->frag_off);
	pkt->ip_len = total_len;
	pkt->tos = ip->tos;
	pkt->saddr_lo = bpf_ntohl(ip->saddr);
	pkt->daddr_lo = bpf_ntohl(ip->daddr);
	pkt->frag_off = frag_off;
	pkt->l4proto = ip->protocol;

	if (header_len > IPV4_MIN_LEN) {
		add_class(pkt, CLASS_IPV4_OPTIONS);
		if (!cursor_take(c, header_len - IPV4_MIN_LEN))
			return cursor_short(c, header_len - IPV4_MIN_LEN);
	}
	if (frag_off & (IPV4_FRAG_OFFSET | IPV4_MORE_FRAGS)) {
		add_class(pkt, CLASS_FRAGMENT);
		/* Offset 1 would rewrite the TCP flags of the first fragment; RFC 1858, 3.2.2. */
		if ((frag_off & IPV4_FRAG_OFFSET) == 1 && ip->protocol == IPPROTO_TCP)
			return drop(REASON_TINY_FRAGMENT);
		/* A later fragment carries no ports: what follows is payload. */
		if (frag_off & IPV4_FRAG_OFFSET)
			return next_stage();
	}
	return parse_transport(c, pkt, ip->protocol, ip->ttl);
}
