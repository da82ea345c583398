#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "compile/intervals.h"
#include "maps/facts.h"
#include "model/config.h"

// A rule as comparisons of facts alone: fields, dependencies and set names are resolved here.
namespace weir::compile {

// (fact & mask) == value
struct Masked {
    std::uint64_t mask;
    std::uint64_t value;
    bool operator==(const Masked&) const = default;
};

// Holds if the number lies in one of `any`, or if one of `masks` holds; `negated`: if none does.
struct Condition {
    int fact_hi = -1; // upper 64 bits of the number; -1: it has none
    int fact = 0;     // the number, or its lower 64 bits
    bool negated = false;
    Intervals any{};
    std::vector<Masked> masks{};
    U128 last{}; // greatest number that the fact can be

    bool operator==(const Condition&) const = default;
};

// What a match means as conditions that must all hold, dependencies in front. That is nft's
// reading: `tcp dport != 22` is true of TCP alone, `vlan id != 5` of tagged frames alone.
Result<std::vector<Condition>> conditions(const model::Rule& rule, const model::Config& config);

} // namespace weir::compile
