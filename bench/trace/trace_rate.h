#pragma once

#include "base/result.h"
#include "bench/trace/trace_result.h"

namespace weir::bench {

// Events per second that a reader on another CPU takes out of the ring: the rate rises until some
// are lost, or the source gives no more. Refused with one CPU.
Result<TraceRate> trace_rate(std::uint32_t ring_octets);

} // namespace weir::bench
