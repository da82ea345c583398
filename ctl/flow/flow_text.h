#pragma once

#include <string>
#include <string_view>

#include "maps/trace.h"
#include "text/rule_text.h"

namespace weir::flow {

// Packets of one connection, in one direction, in the words of rules: "ip saddr 10.0.0.1 udp dport
// 53".
struct Flow {
    trace_flow match; // what its packets are, as the programs compare it
    std::string text; // the words
};

// Addresses may be prefixes; ports and protocols are one each. What is not said may be anything,
// but something must be.
text::Parsed<Flow> parse_flow(std::string_view words);

} // namespace weir::flow
