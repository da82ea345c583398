#include "model/rule.h"

#include <algorithm>

namespace weir::model {

U128 above(U128 number) {
    if (number == U128{~0ULL, ~0ULL}) {
        return number;
    }
    const std::uint64_t low = number.lo + 1;
    return {number.hi + (low == 0 ? 1 : 0), low};
}

U128 below(U128 number) {
    if (number == U128{}) {
        return number;
    }
    return {number.hi - (number.lo == 0 ? 1 : 0), number.lo - 1};
}

std::vector<Interval> merged(std::vector<Interval> intervals) {
    std::sort(intervals.begin(), intervals.end());
    std::vector<Interval> result;
    for (const Interval& interval : intervals) {
        const bool joins = !result.empty() && interval.first <= above(result.back().last);
        if (joins) {
            result.back().last = std::max(result.back().last, interval.last);
        } else {
            result.push_back(interval);
        }
    }
    return result;
}

std::string_view name(ChainName chain) {
    return chain == ChainName::kIngress ? "ingress" : "egress";
}

} // namespace weir::model
