/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

#include "parse/transport.h"

#define IPV6_LEN	    40
#define IPV6_EXTENSIONS_MAX 8
#define IPV6_MORE_FRAGS	    1

/* The common start of extension headers (RFC 8200, 4); read to its full length by its kind. */
struct ipv6_extension {
	__u8 next;
	__u8 len; /* 8-octet units beyond the first; AH: 4-octet units minus 2 (RFC 4302, 2.2) */
	__u8 routing_type;
	__u8 segments_left;
	__be32 rest;
};

struct ipv6_fragment {
	__u8 next;
	__u8 reserved;
	__be16 offset; /* 13 bits in 8-octet units, 2 reserved, more-fragments */
	__be32 id;
};

static __always_inline int is_extension(__u8 next)
{
	return next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING || next == IPPROTO_DSTOPTS ||
	       next == IPPROTO_FRAGMENT || next == IPPROTO_AH;
}

/* Where a walk along the chain stands. */
struct chain {
	__u32 offset; /* of the header to read, from the start of the frame */
	__u32 left;   /* octets up to the end of the IP packet */
	__u32 next;   /* kind of that header */
	__u32 later_fragment; /* 1: what stands there is a later fragment's payload */
};

static __always_inline struct outcome read_fragment(const struct ipv6_fragment *fragment,
						    struct packet *pkt, struct chain *chain)
{
	__u32 offset = bpf_ntohs(fragment->offset);

	/* Neither offset nor more to come: whole, an "atomic" fragment (RFC 6946). */
	if (!(offset >> 3) && !(offset & IPV6_MORE_FRAGS)) {
		add_class(pkt, CLASS_IPV6_EXTENSIONS);
		return next_stage();
	}
	add_class(pkt, CLASS_FRAGMENT);
	if (offset >> 3 == 1 && fragment->next == IPPROTO_TCP)
		return drop(REASON_TINY_FRAGMENT);
	chain->later_fragment = offset >> 3 != 0;
	return next_stage();
}

static __always_inline struct outcome read_extension(frame *ctx, struct packet *pkt,
						     struct chain *chain)
{
	struct cursor c = cursor_at(ctx, chain->offset, chain->left);
	const struct ipv6_extension *ext = cursor_take(&c, sizeof(*ext));
	__u32 kind = chain->next, rest = sizeof(*ext);
	struct outcome read = next_stage();

	if (!ext)
		return cursor_short(&c, sizeof(*ext));
	chain->next = ext->next;
	if (kind == IPPROTO_FRAGMENT) {
		read = read_fragment((const void *)ext, pkt, chain);
	} else {
		add_class(pkt, CLASS_IPV6_EXTENSIONS);
		if (kind == IPPROTO_ROUTING && ext->segments_left)
			add_class(pkt, CLASS_ROUTING_HEADER);
		rest = kind == IPPROTO_AH ? (ext->len + 2) * 4 : (ext->len + 1) * 8;
	}
	if (rest < sizeof(*ext) || rest > chain->left)
		return drop(REASON_TRUNCATED);
	chain->offset += rest;
	chain->left -= rest;
	return read;
}

/* Reads the header that the chain stands on, and steps behind it. */
STAGE parse_extension(frame *ctx, struct packet *pkt, struct chain *chain)
{
	return pkt && chain ? pack(read_extension(ctx, pkt, chain)) : 0;
}

/* Follows the chain to the transport header, or to a later fragment's payload. */
static __always_inline struct outcome follow_extensions(frame *ctx, struct packet *pkt,
							struct chain *chain)
{
	for (int i = 0; i < IPV6_EXTENSIONS_MAX; i++) {
		struct outcome read;

		if (chain->later_fragment || !is_extension(chain->next))
			return next_stage();
		read = unpack(parse_extension(ctx, pkt, chain));
		/* RFC 7112: a first fragment holds the whole header chain. */
		if (read.reason == REASON_TRUNCATED && has_class(pkt, CLASS_FRAGMENT))
			return drop(REASON_TINY_FRAGMENT);
		if (read.verdict != NEXT_STAGE)
			return read;
	}
	if (!chain->later_fragment && is_extension(chain->next))
		return drop(REASON_EXTENSION_CHAIN);
	return next_stage();
}

static __always_inline __u64 high_half(const __be32 *addr)
{
	return (__u64)bpf_ntohl(addr[0]) << 32 | bpf_ntohl(addr[1]);
}

static __always_inline __u64 low_half(const __be32 *addr)
{
	return (__u64)bpf_ntohl(addr[2]) << 32 | bpf_ntohl(addr[3]);
}

static __always_inline struct outcome parse_ipv6(frame *ctx, struct cursor *c,
						 struct packet *pkt)
{
	const struct ipv6hdr *ip = cursor_take(c, IPV6_LEN);
	struct outcome followed;
	__u32 payload_len;
	struct chain chain;
	__u8 hop_limit;

	if (!ip)
		return cursor_short(c, IPV6_LEN);
	if (ip->version != 6)
		return drop(REASON_BAD_IP_VERSION);
	payload_len = bpf_ntohs(ip->payload_len);
	if (payload_len == 0 && exceeds_length_field(pkt, c))
		payload_len = c->left;
	if (payload_len > c->left)
		return drop(REASON_BAD_LENGTH);
	c->left = payload_len;

	pkt->ip_len = IPV6_LEN + payload_len;
	pkt->tos = ip->priority << 4 | ip->flow_lbl[0] >> 4;
	pkt->saddr_hi = high_half(ip->saddr.in6_u.u6_addr32);
	pkt->saddr_lo = low_half(ip->saddr.in6_u.u6_addr32);
	pkt->daddr_hi = high_half(ip->daddr.in6_u.u6_addr32);
	pkt->daddr_lo = low_half(ip->daddr.in6_u.u6_addr32);

	hop_limit = ip->hop_limit;
	chain = (struct chain){ .offset = c->offset, .left = c->left, .next = ip->nexthdr };
	if (unlikely(is_extension(chain.next))) {
		followed = follow_extensions(ctx, pkt, &chain);
		if (followed.verdict != NEXT_STAGE)
			return followed;
		*c = cursor_at(ctx, chain.offset, chain.left);
	}
	pkt->l4proto = chain.next;
	if (chain.later_fragment)
		return next_stage();
	return parse_transport(c, pkt, chain.next, hop_limit);
}
