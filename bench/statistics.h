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

// Of values to others', by index.
Figure ratio_of(const std::vector<double>& values, const std::vector<double>& others);

// How much the machine itself changed meanwhile, as a share: the spread of figures of one and the
// same code, of which nine in ten spread less. None: 0.
double drift_of(const std::vector<Figure>& floors);

// Two figures of the same thing differ by more than chance explains: the medians lie further apart
// than both spreads together and the machine's drift, and than what can be told apart at all.
bool moved(const Figure& before, const Figure& after, double drift = 0, double resolution = 1);

} // namespace weir::bench
