/* SPDX-License-Identifier: GPL-2.0-only */
/* What live.bpf.c and `weir bench net` share. */
#pragma once

/* Octets that are written on every frame: Ethernet, IPv4 and UDP headers, and the smallest frame. */
#define LIVE_HEADER 64
