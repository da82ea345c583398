#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "maps/trace.h"

namespace weir::trace {

// How numbers are put into slots, as the recipe has it.
struct Scale {
    trace_scale kind = TRACE_LOG2;
    std::int64_t from = 0;
    std::uint64_t width = 1;
};

// What a slot holds, both ends included. The last one of TRACE_LINEAR holds all that is more.
struct Range {
    std::int64_t low;
    std::int64_t high;
};
Range range_of(const Scale& scale, std::uint32_t slot);

// Slots and what they count, with bars, as BCC's tools draw them: every slot from the first that is
// not empty (of log2: from 0) to the last. `unit`: over the left column.
std::string draw(const Scale& scale, const std::map<std::uint32_t, std::uint64_t>& slots,
                 const std::string& unit);

} // namespace weir::trace
