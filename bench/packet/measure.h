#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/result.h"
#include "bench/packet/test_bed.h"
#include "bench/statistics.h"

namespace weir::bench {

// How long and how often.
struct Effort {
    std::uint32_t rounds = 15;
    // Of all that is measured, so that a case's rounds lie apart in time: then their spread holds
    // what the machine drifts meanwhile.
    std::uint32_t passes = 3;
    std::uint32_t run_ns = 20'000'000; // what a run should last
    std::uint32_t laps = 0;            // of a run; 0: as many as last run_ns

    // Of pass `pass`, from 0: all passes together have `rounds` rounds.
    std::uint32_t rounds_of(std::uint32_t pass) const {
        return rounds * (pass + 1) / passes - rounds * pass / passes;
    }
};

struct Measured {
    Figure net;   // ns of a packet in the program, without re-arming and the call
    Figure floor; // ns of a lap around the empty program
    std::uint32_t laps = 0;
    std::uint32_t rounds = 0;
    Tally tally; // of the program's laps in all rounds
};

// What the rounds of a case have given so far.
class Measurement {
public:
    // `turns` laps, untimed, in which all of the traffic was there; then the rounds of this pass,
    // each one run around the empty program and one around the program under test. `expect`, if
    // given, is what every single lap must be answered: otherwise the figure would be of another
    // path, and is refused. So is one of laps that were not re-armed.
    Result<> add_pass(TestBed& bed, std::uint32_t turns, const Effort& effort, std::uint32_t pass,
                      std::optional<int> expect);
    Measured figures() const;

private:
    std::vector<double> nets_, floors_; // ns, by round
    std::uint32_t laps_ = 0;
    Tally tally_;
};

} // namespace weir::bench
