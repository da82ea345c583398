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
// How often a function of it was called and its program was not asked: within a traced function, or
// because the kernel waits for as many returns already as it can: for twice as many as there are
// CPUs, times the functions (kernel/trace/fprobe.c). 0: never, before 6.7, or not such a link.
std::uint64_t missed_by_multi_link(int link);

// What a uprobe.multi link is attached to.
struct UserMultiLink {
    std::string file;                   // "" before 6.8, as everything here
    std::vector<std::uint64_t> offsets; // of the places in the file
    bool exit = false;
};
UserMultiLink user_multi_link(int link);

} // namespace weir::kernel
