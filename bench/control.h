#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "bench/document.h"
#include "model/config.h"

namespace weir::bench {

// A change of the configuration whose time is taken.
struct ControlCase {
    std::string name;
    std::string what;
    model::Limits limits = {};
    std::function<std::string()> before = {}; // YAML in force when the clock starts
    std::function<std::string()> after = {};  // YAML that is applied; none: `rule` is added
    std::string rule = {};
    std::uint32_t rounds = 5;
};
std::vector<ControlCase> control_cases();

struct ControlResult {
    std::string name;
    std::string what;
    std::optional<Figure> milliseconds = {};
    // Of work that has nothing to do with it, right before each round: it shows the machine's
    // speed.
    Figure floor = {};
    std::string refused = {}; // why there is no figure
};

// The same in every version, whatever Weir does: addresses made, written as text and sorted.
void floor_work();

// Packets that were run while generations alternated, every pair of which would be answered
// otherwise if a packet saw some of one and some of the other.
struct MixResult {
    std::uint64_t generations = 0;
    std::uint64_t packets = 0;
    std::uint64_t mixed = 0; // of them, answered otherwise: must be 0
};

// Two configurations that pass the packet; a set of the one with the rules of the other drops it.
struct MixPair {
    std::string first;
    std::string second;
    std::string packet; // in words
};
MixPair mix_pair();

struct ControlReport {
    Origin origin;
    std::vector<ControlResult> cases;
    MixResult mix;
};
Json to_json(const ControlReport& report);

} // namespace weir::bench
