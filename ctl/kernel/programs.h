#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

// BPF programs that are loaded, anybody's.
namespace weir::kernel {

// What a program is given.
enum class ProgramContext { kXdp, kTc };

struct LoadedProgram {
    std::uint32_t id = 0;
    std::string name = {};         // at most 15 characters: what the kernel keeps
    std::string function = {};     // its name in its own BTF, in full; "" without BTF
    std::uint32_t function_id = 0; // and its type there: what fentry is attached to; 0: none
    ProgramContext context = ProgramContext::kXdp;
    bool jited = false; // fentry wants it

    // The longer of the two names: what `bpftool prog` shows.
    const std::string& full_name() const { return function.empty() ? name : function; }
};

// Programs with that context whose name, short or long, matches a pattern of a shell; or the one
// that "id:7" names. Also those that replace a function of such a program (freplace). By id.
// Empty: there is none.
Result<std::vector<LoadedProgram>> find_programs(ProgramContext context,
                                                 const std::string& pattern);
// All of them.
Result<std::vector<LoadedProgram>> loaded_programs(ProgramContext context);

} // namespace weir::kernel
