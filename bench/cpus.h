#pragma once

#include <vector>

#include "base/result.h"

namespace weir::bench {

// CPUs that this process may run on, by number.
Result<std::vector<unsigned>> allowed_cpus();
// Keeps this thread, and what it starts, on some of them. What it sends runs all its path there.
Result<> stay_on(const std::vector<unsigned>& cpus);

} // namespace weir::bench
