#pragma once

#include <array>

#include "base/fd.h"
#include "bench/scenario.h"
#include "kernel/node.h"
#include "verbs/verb.h"

namespace weir::verbs {

// A Weir of the bench's own: loaded and configured beside the user's, attached nowhere, and held by
// descriptors alone, so that nothing of it outlives the command.
struct BenchNode {
    kernel::Node node;
    std::array<Fd, 3> programs; // by kernel::Program
    int program(kernel::Program which) const {
        return programs[static_cast<std::size_t>(which)].get();
    }
};

// Errors are the configuration's: too large for this version, say.
Result<BenchNode> make_bench_node(Context& cx, const bench::SetUp& set_up);

// Moves this process into a network namespace of its own, with what routed set-ups find there.
Result<> enter_bench_network();

} // namespace weir::verbs
