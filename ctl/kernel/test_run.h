#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "kernel/node.h"
#include "kernel/objects.h"
#include "maps/explanation.h"

namespace weir::kernel {

// What the program made of one packet. Counters and flows of the loaded instance stay as they were.
struct TestRun {
    std::uint32_t action = 0; // XDP_* or TC_ACT_*
    std::vector<std::uint8_t> output;
    explanation why{};
};

// A second instance of the loaded program, with the live generation and flow table to read and
// counters of its own.
class Explainer {
public:
    static Result<Explainer> open(const Node& node, Program program);
    // What becomes of one frame (BPF_PROG_TEST_RUN). `ifindex` 0: no particular interface.
    Result<TestRun> run(std::span<const std::uint8_t> frame, std::uint32_t ifindex) const;

private:
    Explainer(Object object, Program program) : object_(std::move(object)), program_(program) {}
    Object object_;
    Program program_;
};

} // namespace weir::kernel
