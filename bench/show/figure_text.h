#pragma once

#include <string>

#include "bench/statistics.h"

namespace weir::bench {

// Figures as people read them: "1,234,568", "119", "14.6", "0.0312".
std::string readable(double figure);
std::string median(const Figure& figure);
std::string quartiles(const Figure& figure); // "119–123"

} // namespace weir::bench
