#pragma once

#include <map>

#include "flow/packets.h"
#include "output/output.h"

namespace weir::flow {

// Names of network namespaces by their inodes: those of `ip netns`, and "-" for the caller's own.
std::map<std::uint64_t, std::string> netns_names();

// A line for each place where the packet was seen: time since the first, time since the one before,
// namespace, device, stage, function, and what changed or was said there.
std::string timeline(const Packet& packet, const std::map<std::uint64_t, std::string>& netns);
output::Json timeline_json(const Packet& packet, const std::map<std::uint64_t, std::string>& netns);

} // namespace weir::flow
