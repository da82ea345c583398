#pragma once

#include <array>
#include <memory>
#include <string>

#include "base/fd.h"
#include "bench/packet/scenario.h"
#include "kernel/node.h"
#include "verbs/change.h"
#include "verbs/verb.h"

namespace weir::verbs {

// A Weir of the bench's own, attached nowhere, held by descriptors alone: nothing of it outlives
// the command.
struct BenchNode {
    kernel::Node node;
    std::array<Fd, 3> programs; // by kernel::Program
    int program(kernel::Program which) const {
        return programs[static_cast<std::size_t>(which)].get();
    }
};

// The same while it is pinned, and can be changed as the user's can. Ctrl-C waits until it is gone.
class PinnedBench {
public:
    // Loaded; nothing is published yet.
    static Result<PinnedBench> load(Context& cx, const model::Limits& limits);
    PinnedBench(PinnedBench&&) noexcept;
    PinnedBench& operator=(PinnedBench&&) = delete;
    ~PinnedBench();

    // As `weir apply` does it. Errors are the configuration's: too large for this version, say.
    Result<> apply(const std::string& yaml);
    Result<> edit(const Edit& edit);
    Result<BenchNode> open() const;
    // A signal waits to end this command: stop soon.
    static bool interrupted();

private:
    struct State;
    explicit PinnedBench(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

// What set-ups are measured in, one after the other.
class BenchNodes {
public:
    enum class Use {
        kFresh,  // each set-up has a Weir of its own
        kShared, // the same while the limits stay: an emulated kernel verifies programs for seconds
    };
    BenchNodes(Context& cx, Use use) : cx_(cx), use_(use) {}

    // Loads, or empties the one before, and applies what the set-up says.
    Result<BenchNode> make(const bench::SetUp& set_up);

private:
    Result<> prepare(const bench::SetUp& set_up);
    Context& cx_;
    Use use_;
    std::unique_ptr<PinnedBench> last_;
    model::Limits limits_;
};

// Moves this process into a network namespace of its own, with what routed set-ups find there.
Result<> enter_bench_network();

} // namespace weir::verbs
