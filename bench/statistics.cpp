#include "bench/statistics.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace weir::bench {
namespace {

double quantile(const std::vector<double>& sorted, double share) {
    const double at = share * static_cast<double>(sorted.size() - 1);
    const auto below = static_cast<std::size_t>(at);
    const std::size_t above = std::min(below + 1, sorted.size() - 1);
    return sorted[below] + (at - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

} // namespace

Figure figure_of(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return {quantile(values, 0.5), quantile(values, 0.25), quantile(values, 0.75)};
}

bool moved(const Figure& before, const Figure& after) {
    constexpr double kResolution = 1;
    return std::abs(after.median - before.median) >
           std::max(kResolution, before.spread() + after.spread());
}

} // namespace weir::bench
