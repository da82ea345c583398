#pragma once

#include <vector>

namespace weir::bench {

// What repeated measurements say: the middle, and how far they lie apart.
struct Figure {
    double median = 0;
    double lower = 0; // quartiles
    double upper = 0;
    double spread() const { return upper - lower; }
};

// Quartiles by linear interpolation between the nearest values. At least one value.
Figure figure_of(std::vector<double> values);

// Two figures of the same thing differ by more than chance explains: the medians lie further apart
// than both spreads together, and than the resolution of the clock, 1 ns.
bool moved(const Figure& before, const Figure& after);

} // namespace weir::bench
