#include "bench/packet/measure.h"

#include <fmt/format.h>

#include <algorithm>

namespace weir::bench {
namespace {

std::string answers(const Tally& tally, ProgramType type) {
    std::string text;
    for (int action = -1; action < REARM_ANSWERS - 1; action++) {
        if (const std::uint64_t laps = tally.of(action); laps > 0) {
            text += fmt::format("{}{} of {} packets", text.empty() ? "" : ", ",
                                action_name(type, action), laps);
        }
    }
    return text;
}

Result<> check(const Tally& tally, std::uint64_t laps, ProgramType type,
               std::optional<int> expect) {
    if (tally.not_called > 0) {
        return fail("the kernel refused the tail call to the program");
    }
    if (tally.not_restored > 0) {
        return fail(fmt::format("{} of {} packets could not be made what they were: the program "
                                "changes what cannot be restored",
                                tally.not_restored, laps));
    }
    if (expect && tally.of(*expect) != laps) {
        return fail(fmt::format("expected {} of all {} packets, but the program answered {}: not "
                                "what was to be measured",
                                action_name(type, *expect), laps, answers(tally, type)));
    }
    return {};
}

// How many laps last about as long as is wanted.
Result<std::uint32_t> laps_for(TestBed& bed, std::uint32_t run_ns) {
    constexpr std::uint32_t kTrial = 2000, kMost = 2'000'000;
    WEIR_TRY(const Run trial, bed.run(REARM_UNDER_TEST, kTrial));
    return std::clamp(run_ns / std::max(trial.ns, 1U), kTrial, kMost);
}

} // namespace

Result<> Measurement::add_pass(TestBed& bed, std::uint32_t turns, const Effort& effort,
                               std::uint32_t pass, std::optional<int> expect) {
    WEIR_TRY(const Run warm, bed.run(REARM_UNDER_TEST, std::max(turns, 2U)));
    WEIR_CHECK(check(warm.tally, std::max(turns, 2U), bed.type(), std::nullopt));
    if (laps_ == 0) {
        laps_ = effort.laps;
    }
    if (laps_ == 0) {
        WEIR_TRY(laps_, laps_for(bed, effort.run_ns));
    }
    for (std::uint32_t round = 0; round < effort.rounds_of(pass); round++) {
        WEIR_TRY(const Run floor, bed.run(REARM_EMPTY, laps_));
        WEIR_TRY(const Run run, bed.run(REARM_UNDER_TEST, laps_));
        WEIR_CHECK(check(run.tally, laps_, bed.type(), expect));
        tally_ += run.tally;
        floors_.push_back(floor.ns);
        nets_.push_back(static_cast<double>(run.ns) - floor.ns);
    }
    return {};
}

Measured Measurement::figures() const {
    return {.net = figure_of(nets_),
            .floor = figure_of(floors_),
            .laps = laps_,
            .rounds = static_cast<std::uint32_t>(nets_.size()),
            .tally = tally_};
}

} // namespace weir::bench
