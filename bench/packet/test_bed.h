#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "bench/bpf/rearm.h"
#include "bench/traffic.h"

namespace weir::bench {

enum class ProgramType { kXdp, kTc };

// "pass", "tx", …; "shot", "unspec", …; "action 17" where no name is known.
std::string action_name(ProgramType type, int action);
// The reverse; usage error with the names there are.
Result<int> parse_action(ProgramType type, const std::string& name);

// What the laps of a run were answered.
struct Tally {
    std::array<std::uint64_t, REARM_ANSWERS> answers{}; // by action plus 1; the last: all beyond
    std::uint64_t not_restored = 0;
    std::uint64_t not_called = 0;

    std::uint64_t of(int action) const;
    Tally& operator+=(const Tally& other);
};

struct Run {
    std::uint32_t ns = 0; // of a lap, the average, re-arming included
    Tally tally;
    std::vector<std::uint8_t> last; // the frame of the last lap, as the program left it
};

// A program under test behind rearm.bpf.c, with its traffic.
class TestBed {
public:
    // `program` is any XDP or TC program's descriptor; other types are refused.
    static Result<TestBed> set_up(int program, const Traffic& traffic);
    TestBed(TestBed&&) noexcept;
    TestBed& operator=(TestBed&&) = delete;
    ~TestBed();

    ProgramType type() const { return type_; }
    // Laps around the program under test, or around the empty one (REARM_EMPTY). Headers and flows go on
    // where the last run of the same program stopped.
    Result<Run> run(std::uint32_t program, std::uint32_t laps);

private:
    struct Objects;
    TestBed(ProgramType type, std::unique_ptr<Objects> objects);

    ProgramType type_;
    std::unique_ptr<Objects> objects_;
    std::vector<std::uint8_t> frame_;
    std::uint32_t headers_ = 0;
    rearm_flows flows_{};
    std::array<std::uint64_t, REARM_PROGRAMS> next_{}, next_flow_{};
};

} // namespace weir::bench
