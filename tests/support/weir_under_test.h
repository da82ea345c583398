#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "kernel/node.h"
#include "kernel/objects.h"
#include "model/config.h"
#include "support/frame.h"

namespace weir::test {

// What one run of a program answered.
struct Answer {
    int action = 0;  // XDP_* or TC_ACT_*
    Octets output;   // the frame as the program left it
    Octets metadata; // in front of the frame
};

// Where and how a frame arrives.
struct Arrival {
    std::uint32_t ifindex = 0; // 0: as BPF_PROG_TEST_RUN does it, the loopback device
    // Octets in the first buffer; the rest lies in fragments. 0: as much as fits.
    std::uint32_t linear = 0;
    std::uint32_t metadata = 0; // octets of it in front of an XDP frame
    std::uint32_t gso_size = 0; // TC: an skb that the kernel will segment
};

// Weir, loaded and pinned below a directory of this process, as `weir load` does it, and fed with
// YAML by the same steps as `weir apply`. Whatever the kernel refuses is thrown.
class WeirUnderTest {
public:
    WeirUnderTest();
    ~WeirUnderTest();
    WeirUnderTest(const WeirUnderTest&) = delete;
    WeirUnderTest& operator=(const WeirUnderTest&) = delete;

    // Forgets every flow, interface and configuration; new slots' counters are zero.
    void reset();
    // What is as before keeps its handles and counters.
    void apply(std::string_view yaml);
    const model::Config& config() const { return config_; }
    kernel::Node& node() { return *node_; }

    // The control word as a fresh load leaves it; apply() puts a configuration in force again.
    void forget_generation();
    // The live generation names a rule image that does not exist.
    void lose_rules();
    // What a CPU keeps of routes, neighbours and MTUs for a moment is asked anew.
    void forget_ways();
    // Every change of a ring was made so many ticks earlier (maps/balancer.h); flows are as they were.
    void let_pass(std::uint32_t ticks);
    void add_interface(std::uint32_t ifindex, std::string_view name, role as, std::uint32_t hooks);
    // The row of counters that frames of this interface are booked in.
    std::uint32_t slot_of(std::uint32_t ifindex) const;

    // Runs the pinned program once; none if this kernel has no way to run it so.
    std::optional<Answer> try_run(kernel::Program which, const Octets& frame, Arrival how);
    Answer run(kernel::Program which, const Octets& frame, Arrival how);
    // The same program with the same maps, but every packet takes the general lane.
    Answer run_general(kernel::Program which, const Octets& frame, Arrival how);

    hook_count books(std::uint32_t slot, hook at) const;

private:
    Fd program(kernel::Program which) const;

    kernel::Pins pins_;
    std::optional<kernel::Node> node_;
    std::map<kernel::Program, Fd> programs_;
    std::map<kernel::Program, kernel::Object> general_;
    std::map<std::uint32_t, std::uint32_t> slots_; // by ifindex
    model::Config config_;
    model::Identities ids_;
};

// The value, or an exception with the error's text.
template <typename T>
T must(Result<T> result) {
    if (!result) {
        throw std::runtime_error(result.error().message());
    }
    if constexpr (!std::is_void_v<T>) {
        return *std::move(result);
    }
}

} // namespace weir::test
