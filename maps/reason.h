/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Why a packet met its verdict. Each name is what `weir` prints; each text is what the reference
 * says. Order is ABI: append before REASON_COUNT and raise WEIR_SCHEMA.
 */
#pragma once

#include "abi.h"

/* X(enumerator, printed name, meaning and mend) */
#define WEIR_REASONS(X)                                                                            \
	X(REASON_POLICY, "policy", "no rule matched: the chain's default policy decided")          \
	X(REASON_RULE, "rule", "a rule decided; its handle says which")                            \
	X(REASON_ARP, "arp", "ARP, decided by the packet class `arp`")                             \
	X(REASON_NEIGHBOUR_DISCOVERY, "neighbour-discovery",                                       \
	  "IPv6 neighbour or router discovery (RFC 4861), decided by the packet class of that name") \
	X(REASON_IPV4_OPTIONS, "ipv4-options",                                                     \
	  "IPv4 header with options, decided by the packet class of that name")                    \
	X(REASON_IPV6_EXTENSIONS, "ipv6-extensions",                                               \
	  "IPv6 extension headers other than a fragment header, decided by the packet class")      \
	X(REASON_ROUTING_HEADER, "routing-header",                                                 \
	  "IPv6 routing header with segments left (RFC 5095 withdrew type 0), decided by the class") \
	X(REASON_FRAGMENT, "fragment", "IPv4 or IPv6 fragment, decided by the packet class")       \
	X(REASON_TRUNCATED, "truncated", "the frame ends inside a header that it announces")       \
	X(REASON_SPLIT_HEADERS, "split-headers",                                                   \
	  "the headers do not lie in the first buffer of a multi-buffer frame")                    \
	X(REASON_VLAN_DEPTH, "vlan-depth", "more than two VLAN tags")                              \
	X(REASON_BAD_IP_VERSION, "bad-ip-version", "IP version differs from the Ethernet type")    \
	X(REASON_BAD_IP_HEADER, "bad-ip-header", "IPv4 header length below 20 octets (RFC 791)")   \
	X(REASON_BAD_LENGTH, "bad-length",                                                         \
	  "the IP or UDP length field contradicts the frame or the headers")                       \
	X(REASON_BAD_TCP_HEADER, "bad-tcp-header", "TCP data offset below 5 (RFC 9293)")           \
	X(REASON_EXTENSION_CHAIN, "extension-chain",                                               \
	  "more IPv6 extension headers than the parser follows (8)")                               \
	X(REASON_TINY_FRAGMENT, "tiny-fragment",                                                   \
	  "first fragment without the whole transport header, or offset 1 (RFC 1858, RFC 7112)")   \
	X(REASON_NO_GENERATION, "no-generation", "the program runs, but nothing was ever applied") \
	X(REASON_CLASSIFIER, "classifier", "the rule image is damaged: apply the configuration again") \
	X(REASON_VIP_FRAGMENT, "vip-fragment",                                                     \
	  "fragment to a VIP: without ports it belongs to no flow")                                \
	X(REASON_ECHO, "echo", "ICMP echo request to a VIP, answered")                             \
	X(REASON_SERVICE, "service", "sent to a backend of the service")                           \
	X(REASON_NO_BACKEND, "no-backend", "the service has no usable backend")                    \
	X(REASON_NO_SOURCE, "no-source",                                                           \
	  "no tunnel source is configured for the backend's family: set `lb.source` or `lb.source6`") \
	X(REASON_NO_ROUTE, "no-route",                                                             \
	  "the node has no route to the backend, or the backend's address is its own")             \
	X(REASON_FORWARDING_OFF, "forwarding-off",                                                 \
	  "forwarding is off on the interface: sysctl net.ipv4.ip_forward, net.ipv6.conf.all.forwarding") \
	X(REASON_NOT_ON_LINK, "not-on-link",                                                       \
	  "an L2 DSR backend is behind a router; its MAC address cannot be known")                 \
	X(REASON_NEIGHBOUR_UNKNOWN, "neighbour-unknown",                                           \
	  "next hop not resolved yet: handed to the kernel, which resolves it and sends")          \
	X(REASON_TOO_BIG, "too-big", "with the outer header the packet exceeds the MTU")           \
	X(REASON_NO_HEADROOM, "no-headroom", "the driver left no room for the outer header")       \
	X(REASON_ALREADY_JUDGED, "already-judged", "TC ingress: the XDP program of the same interface decided") \
	X(REASON_NO_XDP_SEND, "no-xdp-send",                                                       \
	  "the route leads out of a device that takes no frames from XDP (a bridge, a VLAN device): "  \
	  "TC ingress lets the kernel send it; without TC ingress it is dropped")

enum reason {
#define X(enumerator, name, text) enumerator,
	WEIR_REASONS(X)
#undef X
	REASON_COUNT,
};

/* What became of a packet. `weir ledger` adds these up against what was received. */
enum verdict {
	VERDICT_PASS,     /* to the kernel stack (XDP_PASS, TC next) */
	VERDICT_SEND,     /* out of the interface that it came from (XDP_TX) */
	VERDICT_REDIRECT, /* out of another interface */
	VERDICT_DROP,
	VERDICT_COUNT,
};

/*
 * Odd but legal packets: for each class the operator says what is done (enum class_action).
 * `weir fw policy` sets it.
 * X(enumerator, printed name, action by default, reason counted when that decides)
 */
#define WEIR_PACKET_CLASSES(X)                                                                     \
	X(CLASS_ARP, "arp", ACTION_ACCEPT, REASON_ARP)                                             \
	X(CLASS_NEIGHBOUR_DISCOVERY, "neighbour-discovery", ACTION_ACCEPT, REASON_NEIGHBOUR_DISCOVERY) \
	X(CLASS_IPV4_OPTIONS, "ipv4-options", ACTION_FILTER, REASON_IPV4_OPTIONS)                  \
	X(CLASS_IPV6_EXTENSIONS, "ipv6-extensions", ACTION_FILTER, REASON_IPV6_EXTENSIONS)         \
	X(CLASS_ROUTING_HEADER, "routing-header", ACTION_DROP, REASON_ROUTING_HEADER)              \
	X(CLASS_FRAGMENT, "fragment", ACTION_FILTER, REASON_FRAGMENT)

enum packet_class {
#define X(enumerator, name, action, reason) enumerator,
	WEIR_PACKET_CLASSES(X)
#undef X
	CLASS_COUNT,
};

enum class_action {
	ACTION_FILTER, /* the rules decide */
	ACTION_ACCEPT, /* accepted without asking the rules */
	ACTION_DROP,
};
