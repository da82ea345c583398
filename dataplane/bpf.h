/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's BPF interface and the headers' layouts: included first by every BPF file. */
#pragma once

#include <stdbool.h>

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define likely(condition)   __builtin_expect(!!(condition), 1)
#define unlikely(condition) __builtin_expect(!!(condition), 0)

#define AF_INET	 2 /* <sys/socket.h> wants a C library */
#define AF_INET6 10
