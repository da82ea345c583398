#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "kernel/node.h"
#include "output/output.h"

namespace weir::verbs {

// One thing that counts: what it is called, and its counters in the order of its section's titles.
struct SampleRow {
    std::vector<output::Json> names;
    std::vector<std::uint64_t> counts;
};

// Things of one kind. The first counter is packets; the second, where it is "bytes", octets.
struct Section {
    std::string key;   // in JSON: "rules"
    std::string title; // for people: "Rules"
    std::vector<std::string> name_titles;
    std::vector<std::string> count_titles;
    std::vector<SampleRow> rows;
};

// All counters at one moment.
struct Sample {
    std::chrono::steady_clock::time_point taken;
    std::uint64_t generation = 0;
    std::vector<Section> sections;
};
Result<Sample> take_sample(const kernel::Node& node);

// The rows of hook_counts: every interface that is or was attached, and all others as one.
struct CountedInterface {
    std::string name;
    std::uint32_t slot = 0;
    std::uint32_t hooks = 0; // what is attached
};
Result<std::vector<CountedInterface>> counted_interfaces(const kernel::Node& node);

} // namespace weir::verbs
