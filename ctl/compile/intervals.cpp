#include "compile/intervals.h"

#include <algorithm>

namespace weir::compile {

bool covers(const Intervals& outer, const Intervals& inner) {
    return std::all_of(inner.begin(), inner.end(), [&](const model::Interval& i) {
        return std::any_of(outer.begin(), outer.end(), [&](const model::Interval& o) {
            return o.first <= i.first && i.last <= o.last;
        });
    });
}

bool intersects(const Intervals& a, const Intervals& b) {
    return std::any_of(a.begin(), a.end(), [&](const model::Interval& x) {
        return std::any_of(b.begin(), b.end(), [&](const model::Interval& y) {
            return x.first <= y.last && y.first <= x.last;
        });
    });
}

Intervals complement64(const Intervals& list) {
    Intervals gaps;
    std::uint64_t from = 0;
    for (const model::Interval& i : list) {
        if (i.first.lo > from) {
            gaps.push_back({{0, from}, {0, i.first.lo - 1}});
        }
        if (i.last.lo == kMax64) {
            return gaps;
        }
        from = i.last.lo + 1;
    }
    gaps.push_back({{0, from}, {0, kMax64}});
    return gaps;
}

} // namespace weir::compile
