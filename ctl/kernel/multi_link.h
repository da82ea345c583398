#pragma once

#include <cstdint>
#include <vector>

namespace weir::kernel {

// What a kprobe.multi link is attached to.
struct MultiLink {
    std::vector<std::uint64_t> addresses; // none before 6.6, and where kernel addresses are hidden
    bool exit = false;                    // at the returns
};
MultiLink multi_link(int link);

} // namespace weir::kernel
