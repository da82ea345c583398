#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "kernel/node.h"

namespace weir::bench {

// What one more of something takes of kernel memory.
struct MemoryCost {
    std::string what; // "flow"
    double bytes = 0;
    std::string of; // "flows": the maps that make it up
};

// As the kernel accounts its maps (`memlock` of /proc/PID/fdinfo), divided by their entries; tables
// of a generation count once. Of a rule: its share of the nodes of 1,000 realistic IPv4 rules.
Result<std::vector<MemoryCost>> memory_costs(const kernel::Node& node);

} // namespace weir::bench
