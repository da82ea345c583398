#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "kernel/node.h"
#include "maps/explanation.h"

namespace weir::kernel {

// What the program made of one packet. Counters and flows of the loaded instance stay as they were.
struct TestRun {
    std::uint32_t action = 0; // XDP_* or TC_ACT_*
    std::vector<std::uint8_t> output;
    explanation why{};
};

// Runs a second instance of the loaded program, with the live generation and flow table to read and
// counters of its own, on one frame (BPF_PROG_TEST_RUN). `ifindex` 0: no particular interface.
Result<TestRun> explain(const Node& node, Program program, std::span<const std::uint8_t> frame,
                        std::uint32_t ifindex);

} // namespace weir::kernel
