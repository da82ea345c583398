#pragma once

#include <cstdint>
#include <optional>

#include "base/result.h"
#include "bench/packet/test_bed.h"
#include "bench/statistics.h"

namespace weir::bench {

// How long and how often.
struct Effort {
    std::uint32_t rounds = 15;
    std::uint32_t run_ns = 20'000'000; // what a run should last
    std::uint32_t laps = 0;            // of a run; 0: as many as last run_ns
};

struct Measured {
    Figure net;   // ns of a packet in the program, without re-arming and the call
    Figure floor; // ns of a lap around the empty program
    std::uint32_t laps = 0;
    std::uint32_t rounds = 0;
    Tally tally; // of the program's laps in all rounds
};

// Every header once, untimed; then rounds, each one run around the empty program and one around the
// program under test. `expect`, if given, is what every single lap must be answered: otherwise the
// figure would be of another path, and is refused. So is one of laps that were not re-armed.
Result<Measured> measure(TestBed& bed, std::uint32_t headers, const Effort& effort,
                         std::optional<int> expect);

} // namespace weir::bench
