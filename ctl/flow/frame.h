#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "flow/sighting.h"
#include "maps/trace.h"

// Frames as octets: what Weir's own programs hand out.
namespace weir::flow {

// The tuple of a frame, and behind it those of what it carries by IPIP, 6in4, 4in6, 6in6. Empty: it
// is no IP, or cut off.
std::vector<Tuple> tuples_of(std::span<const std::uint8_t> frame);

// As the tracing programs compare it.
bool is_of(const trace_flow& flow, const Tuple& tuple);

} // namespace weir::flow
