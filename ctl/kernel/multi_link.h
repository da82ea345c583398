#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace weir::kernel {

// What a kprobe.multi link is attached to.
struct MultiLink {
    std::vector<std::uint64_t> addresses; // none before 6.6, and where kernel addresses are hidden
    bool exit = false;                    // at the returns
};
MultiLink multi_link(int link);

// What a uprobe.multi link is attached to.
struct UserMultiLink {
    std::string file;                   // "" before 6.8, as everything here
    std::vector<std::uint64_t> offsets; // of the places in the file
    bool exit = false;
};
UserMultiLink user_multi_link(int link);

} // namespace weir::kernel
