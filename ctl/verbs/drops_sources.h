#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "drops/ledger.h"
#include "verbs/tracing.h"

// Where `weir drops` learns of lost packets: tracepoints, and Weir's own counters.
namespace weir::verbs {

// Frames lost around XDP programs. Their values say what went wrong, where they came in, where they
// should leave, of which namespace and by which name; what follows is summed up.
// `sent`: also what did leave, behind a redirect.
Result<std::vector<trace::Step>> frame_steps(bool sent);
// A total of one of these steps.
void add_frames(const trace::Probe& probe, const trace_key& key, const trace_total& total,
                drops::Losses& into);

// "NETFILTER_DROP"; "mac80211_unusable 3" of a subsystem that tells no names. "": no drop at all.
std::string reason_name(const trace::Field& field, std::uint64_t number);

// Weir's drops of every interface at one moment.
struct WeirDrops {
    struct Interface {
        std::string name;
        std::uint32_t index = 0; // 0: all that were never attached
        std::array<hook_count, HOOK_COUNT> hooks{};
    };
    std::vector<Interface> interfaces;
    std::vector<drops::RuleDrops> rules;
};
// None where Weir is not loaded.
Result<std::optional<WeirDrops>> weir_drops(const Context& cx);

} // namespace weir::verbs
