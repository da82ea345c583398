#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

// Statically defined probes of programs and libraries (USDT): notes of type "stapsdt" in an ELF
// file, each with the place of a no-operation instruction that a uprobe may take.
// https://sourceware.org/systemtap/wiki/UserSpaceProbeImplementation
namespace weir::kernel {

struct UsdtProbe {
    std::string provider;
    std::string name;
    std::string arguments;       // as the note has them: "-4@%eax 8@-16(%rbp)"
    std::uint64_t offset = 0;    // of the instruction in the file
    std::uint64_t semaphore = 0; // of the 16-bit counter in the file that says who listens; 0: none
};

// `file`: a path, or a name that is looked for as programs and libraries are. One that stands at
// several places of the code is told as often. Refused: no such file, no ELF file, of another
// machine. Empty: it has no such probes.
struct UsdtFile {
    std::string path;
    std::vector<UsdtProbe> probes;
};
Result<UsdtFile> read_usdt(const std::string& file);

} // namespace weir::kernel
