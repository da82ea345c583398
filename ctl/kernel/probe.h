#pragma once

#include <string>
#include <vector>

namespace weir::kernel {

// One line of `weir doctor`.
struct Finding {
    enum class Level { kOk, kLimited, kBroken };
    Level level{};
    std::string what;        // "kernel", "BTF", "JIT", "freplace", "tcx", "eth0: XDP"
    std::string found;       // "6.1.0", "refused (EPERM)"
    std::string consequence; // what cannot be done, or is slower; empty if nothing
    std::string mend;        // command or setting; empty if there is none
};

// Looks and tries; leaves nothing behind. Works without root as far as it can.
std::vector<Finding> examine();

} // namespace weir::kernel
