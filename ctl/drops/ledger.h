#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "drops/drop.h"
#include "kernel/device_counters.h"
#include "kernel/stack_counters.h"
#include "maps/interface.h"

// The drop ledger of one interface: what came in, went on and was lost at each stage of its path,
// by which cause, and what is lost without one.
namespace weir::drops {

// Packets that a rule of Weir has dropped, on all interfaces.
struct RuleDrops {
    bool egress = false;
    std::uint64_t handle = 0;
    std::string text;
    std::uint64_t packets = 0;
};

// Weir's own counters.
struct WeirBooks {
    std::array<hook_count, HOOK_COUNT> hooks{}; // of the interface
    std::vector<RuleDrops> rules;               // that drop
};

// All counters at one moment.
struct Snapshot {
    rtnl_link_stats64 link{};
    kernel::NamedCounters driver;
    std::optional<kernel::QdiscCounters> qdisc;
    std::vector<kernel::Softnet> softnet;
    kernel::UdpCounters udp;
    WeirBooks weir;
    Losses losses;
};

// Packets that were lost by one cause.
struct Loss {
    std::string cause; // "NETFILTER_DROP", "rule 3", "rx_missed_errors"
    std::string where; // a function, the rule's words, an interface
    std::uint64_t packets = 0;
    std::string source; // who says so
};

struct StageRow {
    Stage stage = Stage::kReceiveDriver;
    std::optional<std::uint64_t> in;
    std::optional<std::uint64_t> on;
    std::string source; // of `in` and `on`; "": from the stages around it
    std::vector<Loss> losses = {};

    std::uint64_t dropped() const;
};

// A counter of losses that says no cause, beside the causes of what it counts.
struct Check {
    enum class Of { kInterface, kNamespace, kMachine };
    std::string counter;
    std::uint64_t counted = 0;
    std::uint64_t explained = 0;
    Of of = Of::kInterface;

    // What is explained beyond a counter is not counted by it: drivers differ.
    std::uint64_t unexplained() const { return counted > explained ? counted - explained : 0; }
};

struct Ledger {
    std::vector<StageRow> stages; // those with anything to say
    std::vector<Check> checks;
    std::vector<Loss> copies;
    std::vector<kernel::Softnet> softnet; // CPUs of the machine that have dropped

    std::uint64_t lost() const;        // with a cause
    std::uint64_t unexplained() const; // of the interface's own checks
};

Ledger balance(const Snapshot& before, const Snapshot& after, const Device& device);

// What a Weir rule dropped where only the interface's sum is known for certain: by rule, if that
// sum is the rules' own.
std::vector<Loss> rule_losses(const WeirBooks& grown, hook at);

} // namespace weir::drops
