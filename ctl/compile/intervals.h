#pragma once

#include <cstdint>
#include <vector>

#include "model/rule.h"

namespace weir::compile {

inline constexpr std::uint64_t kMax64 = ~std::uint64_t{0};

// A set of numbers as model::merged() leaves it: sorted, disjoint, a gap between any two.
using Intervals = std::vector<model::Interval>;

// Every number of `inner` is in `outer`; some number is in both.
bool covers(const Intervals& outer, const Intervals& inner);
bool intersects(const Intervals& a, const Intervals& b);

// The 64-bit numbers but these.
Intervals complement64(const Intervals& list);

inline model::Interval single(std::uint64_t value) {
    return {{0, value}, {0, value}};
}

} // namespace weir::compile
