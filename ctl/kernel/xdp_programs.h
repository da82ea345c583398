#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"

namespace weir::kernel {

// Ids of the XDP programs that run on an interface, anybody's, in their order; a dispatcher stands
// for the programs behind it.
Result<std::vector<std::uint32_t>> xdp_programs_on(std::uint32_t ifindex);

} // namespace weir::kernel
