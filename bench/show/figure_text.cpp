#include "bench/show/figure_text.h"

#include <fmt/format.h>

#include <cmath>

namespace weir::bench {

std::string readable(double figure) {
    if (std::abs(figure) < 99.95) {
        return fmt::format("{:#.3g}", figure);
    }
    std::string digits = fmt::format("{:.0f}", figure);
    const std::size_t sign = figure < 0 ? 1 : 0;
    for (std::size_t i = digits.size(); i > sign + 3;) {
        i -= 3;
        digits.insert(i, 1, ',');
    }
    return digits;
}

std::string median(const Figure& figure) {
    return readable(figure.median);
}

std::string quartiles(const Figure& figure) {
    return readable(figure.lower) + "–" + readable(figure.upper);
}

} // namespace weir::bench
