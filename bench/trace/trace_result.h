#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bench/document.h"
#include "bench/trace/trace_case.h"

namespace weir::bench {

struct TraceOptions {
    std::uint32_t rounds = 9;
    std::uint64_t events = 100'000; // of a round of a case
    bool peers = true;
    bool rates = true;
};

struct TraceMeasured {
    Figure cost;  // of an activity, without what it costs unprobed
    Figure floor; // unprobed
    // To Weir's in the same round; of peers.
    std::optional<Figure> ratio = {};
};

struct TraceCaseResult {
    TraceCase what;
    std::optional<TraceMeasured> measured = {};
    std::string refused = {}; // why there is no figure
};

// Events that reach a reader, by the size of the ring.
struct TraceRate {
    std::uint32_t ring_octets = 0;
    std::uint32_t event_octets = 0;
    double kept = 0; // the highest rate without loss, events per second
    std::optional<double> lost =
        {}; // the lowest at which some were; none: the source gives no more
};

struct TraceResult {
    Origin origin;
    TraceOptions options;
    std::vector<TraceCaseResult> cases;
    std::vector<TraceRate> rates;
    std::string no_rates = {}; // why there are none

    // The clock counts executed instructions, as QEMU's does with -icount: a ns is one.
    bool counts_instructions() const;
};

// What `weir bench trace --out` writes.
Json to_json(const TraceResult& result);

} // namespace weir::bench
