#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "text/packet_frame.h"

namespace weir::bench {

// A rule as its text, and a packet that it matches. Every rule drops.
struct GeneratedRule {
    std::string text;
    text::PacketFields match;
};

// As an edge firewall has them: most rules name a network on one side, half of them on both, prefix
// lengths gather at the usual sizes, seven of ten name a service port, few a range of ports. The
// shape of ClassBench's access lists (Taylor and Turner, "ClassBench: A Packet Classification
// Benchmark", IEEE INFOCOM 2005). The same seed gives the same rules.
std::vector<GeneratedRule> realistic_rules(Family family, std::size_t count, std::uint64_t seed);

// Hard to tell apart: no rule names an address closer than by a short prefix, and all have wide,
// overlapping ranges of both ports.
std::vector<GeneratedRule> adversarial_rules(Family family, std::size_t count, std::uint64_t seed);

} // namespace weir::bench
