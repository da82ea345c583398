#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bench/traffic.h"

namespace weir::bench {

// What every peer is told to do with the same frames.
struct NetJob {
    std::string name; // "filter-100", as `weir bench net --job` takes it
    std::string what;
    bool forward = false; // to the sink; otherwise every frame is dropped
    bool set = false;     // by its source, one of kSetSize addresses; otherwise by its port
    std::uint32_t rules = 0;
};

std::vector<NetJob> net_jobs();

inline constexpr std::uint32_t kSetSize = 10'000;
// Every second address from 172.16.0.0 on.
std::vector<std::string> set_elements();
// Ports of the rules, in their order. Frames go to the last one's, kPort.
inline constexpr std::uint16_t kPort = 80;
std::vector<std::uint16_t> rule_ports(std::uint32_t rules);

// UDP over IPv4; frames of `size` octets, Ethernet header to end of frame, no FCS.
inline constexpr std::uint32_t kSmallestFrame = 64, kLargestFrame = 1500;
Traffic net_traffic(const NetJob& job, std::uint32_t size, std::uint32_t flows);

} // namespace weir::bench
