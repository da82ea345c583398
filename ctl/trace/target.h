#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kernel/btf.h"
#include "kernel/programs.h"
#include "kernel/symbols.h"
#include "kernel/tracefs.h"
#include "kernel/tracer.h"
#include "trace/scope.h"
#include "trace/source.h"

namespace weir::trace {

// What the running kernel says of itself.
struct Kernel {
    std::optional<kernel::Btf> types; // none: no arguments by name
    kernel::Symbols symbols;
    static Result<Kernel> read();
};

// One place that a probe is put at.
struct Target {
    enum class Kind { kFunction, kTracepoint, kRawTracepoint, kUser, kProgram };
    Kind kind = Kind::kFunction;
    std::string name; // "vfs_read", "skb:kfree_skb", "xdp:weir_ingress@exit"
    bool exit = false;
    bool user = false;            // its pointers point into the process's memory
    std::string symbol = {};      // of a function
    kernel::UserPlace place = {}; // of a user function
    std::optional<std::vector<PlacedArgument>> placed = {}; // of a USDT probe
    kernel::LoadedProgram program = {};
    kernel::Tracepoint tracepoint = {};
    std::uint32_t raw_arguments = 0;
};

struct Skipped {
    std::string name;
    std::string why;
};

struct Targets {
    std::vector<Target> found;
    std::vector<Skipped> skipped; // matched, but cannot be probed
};

// Refused if nothing at all has that name.
Result<Targets> find_targets(const Source& source, const Kernel& kernel);

// The function that a system call is on this architecture; "" if the kernel has none of that name.
std::string syscall_symbol(const std::string& call, const Kernel& kernel);

// What names mean there. Of functions in registers (kprobes) the first six arguments are seen.
Result<Scope> scope_of(const Target& target, const Kernel& kernel, bool registers);

} // namespace weir::trace
