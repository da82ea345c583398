#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

// What the kernel counts of no single interface.
namespace weir::kernel {

// A CPU's part in receiving, of the whole machine (/proc/net/softnet_stat).
struct Softnet {
    std::uint32_t cpu = 0;
    std::uint64_t processed = 0;
    std::uint64_t dropped = 0;  // its queue was full
    std::uint64_t squeezed = 0; // its budget or its time was over with packets left
    std::uint64_t steered = 0;  // woken up by another CPU: RPS
    std::uint64_t limited = 0;  // dropped by the flow limit
    std::uint64_t waiting = 0;  // packets that stand in the queue now
};
Result<std::vector<Softnet>> softnet();
std::vector<Softnet> parse_softnet(const std::string& text);

// UDP and UDP-Lite over IPv4 and IPv6, of the current network namespace (/proc/net/snmp, snmp6).
struct UdpCounters {
    std::uint64_t no_ports = 0;      // nobody listens there
    std::uint64_t full_buffers = 0;  // RcvbufErrors: the socket's receive buffer was full
    std::uint64_t bad_checksums = 0; // InCsumErrors
};
Result<UdpCounters> udp_counters();
void add_snmp(const std::string& text, UdpCounters& into);
void add_snmp6(const std::string& text, UdpCounters& into);

// The current network namespace, as the kernel numbers it: an inode.
Result<std::uint32_t> network_namespace();

} // namespace weir::kernel
