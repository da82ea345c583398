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

Figure ratio_of(const std::vector<double>& values, const std::vector<double>& others) {
    std::vector<double> ratios;
    for (std::size_t i = 0; i < values.size(); i++) {
        ratios.push_back(values[i] / others[i]);
    }
    return figure_of(std::move(ratios));
}

double drift_of(const std::vector<Figure>& floors) {
    constexpr double kMost = 0.9;
    std::vector<double> shares;
    for (const Figure& floor : floors) {
        shares.push_back(floor.spread() / floor.lower);
    }
    std::sort(shares.begin(), shares.end());
    return shares.empty() ? 0 : quantile(shares, kMost);
}

bool moved(const Figure& before, const Figure& after, double drift, double resolution) {
    const double chance =
        before.spread() + after.spread() + drift * std::max(before.median, after.median);
    return std::abs(after.median - before.median) > std::max(resolution, chance);
}

} // namespace weir::bench
