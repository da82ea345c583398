#include "trace/target.h"

#include <fmt/format.h>

#include <algorithm>

#include "maps/trace.h"
#include "text/rule_text.h"

namespace weir::trace {
namespace {

using Kind = Source::Kind;

constexpr std::size_t kRegisters = 6; // that carry arguments

bool is_pattern(const std::string& name) {
    return name.find_first_of("*?[") != std::string::npos;
}

std::string nearest(const std::string& name, const std::vector<std::string>& known) {
    const std::string near = text::did_you_mean(name, {known.begin(), known.end()});
    return near.empty() ? "" : fmt::format("; did you mean '{}'?", near);
}

Result<Targets> functions(const Source& source, const Kernel& kernel) {
    Targets targets;
    const bool exit = source.kind == Kind::kReturn;
    const auto names = kernel.symbols.matching(source.name);
    if (names.empty()) {
        return fail(
            fmt::format("{}: the kernel has no function of that name: it may be inlined, or "
                        "in a module that is not loaded{}",
                        source.text, nearest(source.name, kernel.symbols.matching("*"))));
    }
    for (const std::string& name : names) {
        if (is_pattern(source.name) && !kernel.symbols.hookable(name)) {
            targets.skipped.push_back({name, "not traceable (notrace, or blacklisted)"});
        } else if (kernel.symbols.count(name) > 1) {
            targets.skipped.push_back(
                {name, fmt::format("{} functions have this name", kernel.symbols.count(name))});
        } else {
            targets.found.push_back({.name = name, .exit = exit, .symbol = name});
        }
    }
    return targets;
}

Result<Targets> tracepoints(const Source& source) {
    Targets targets;
    WEIR_TRY(const auto found, kernel::find_tracepoints(source.subsystem, source.name));
    for (const kernel::Tracepoint& each : found) {
        targets.found.push_back(
            {.kind = Target::Kind::kTracepoint, .name = each.name(), .tracepoint = each});
    }
    if (found.empty()) {
        WEIR_TRY(const auto all, kernel::find_tracepoints("*", "*"));
        std::vector<std::string> names;
        for (const kernel::Tracepoint& each : all) {
            names.push_back(each.name());
        }
        return fail(fmt::format("{}: the kernel has no such tracepoint{}", source.text,
                                nearest(source.subsystem + ":" + source.name, names)));
    }
    return targets;
}

Result<Targets> raw_tracepoint(const Source& source, const Kernel& kernel) {
    const auto found = kernel.types ? kernel.types->raw_tracepoint(source.name) : std::nullopt;
    if (!found) {
        return fail(fmt::format("{}: the kernel's types name no such raw tracepoint", source.text));
    }
    const auto count = static_cast<std::uint32_t>(
        std::min<std::size_t>(found->parameters.size(), TRACE_ARGUMENTS));
    Targets targets;
    targets.found.push_back(
        {.kind = Target::Kind::kRawTracepoint, .name = source.name, .raw_arguments = count});
    return targets;
}

// By the tracepoint, which knows the arguments by name; else by the function.
Result<Targets> syscall(const Source& source, const Kernel& kernel) {
    const bool exit = source.kind == Kind::kSyscallReturn;
    Targets targets;
    const auto points = kernel::find_tracepoints(
        "syscalls", fmt::format("sys_{}_{}", exit ? "exit" : "enter", source.name));
    if (points && !points->empty()) {
        for (const kernel::Tracepoint& each : *points) {
            targets.found.push_back({.kind = Target::Kind::kTracepoint,
                                     .name = each.name(),
                                     .exit = exit,
                                     .user = true,
                                     .tracepoint = each});
        }
        return targets;
    }
    const std::string symbol = syscall_symbol(source.name, kernel);
    if (symbol.empty()) {
        return fail(fmt::format("{}: the kernel has no such system call", source.text));
    }
    targets.found.push_back({.name = symbol, .exit = exit, .user = true, .symbol = symbol});
    return targets;
}

Targets user_function(const Source& source) {
    Targets targets;
    targets.found.push_back({.kind = Target::Kind::kUser,
                             .name = source.subsystem + ":" + source.name,
                             .exit = source.kind == Kind::kUserReturn,
                             .user = true,
                             .symbol = source.name,
                             .file = source.subsystem});
    return targets;
}

} // namespace

Result<Kernel> Kernel::read() {
    Kernel kernel;
    if (auto types = kernel::Btf::of_kernel()) {
        kernel.types = *std::move(types);
    }
    WEIR_TRY(kernel.symbols, kernel::Symbols::of_kernel());
    WEIR_CHECK(kernel::reach_tracefs());
    return kernel;
}

std::string syscall_symbol(const std::string& call, const Kernel& kernel) {
    for (const char* prefix : {"__x64_sys_", "__arm64_sys_", "__se_sys_", "__do_sys_", "sys_"}) {
        if (kernel.symbols.has(prefix + call)) {
            return prefix + call;
        }
    }
    return "";
}

Result<Targets> find_targets(const Source& source, const Kernel& kernel) {
    switch (source.kind) {
    case Kind::kFunction:
    case Kind::kReturn:
        return functions(source, kernel);
    case Kind::kTracepoint:
        return tracepoints(source);
    case Kind::kRawTracepoint:
        return raw_tracepoint(source, kernel);
    case Kind::kSyscall:
    case Kind::kSyscallReturn:
        return syscall(source, kernel);
    case Kind::kUser:
    case Kind::kUserReturn:
        return user_function(source);
    }
    return fail("no source");
}

Result<Scope> scope_of(const Target& target, const Kernel& kernel, bool registers) {
    Scope scope;
    scope.types = kernel.types ? &*kernel.types : nullptr;
    scope.of = target.name;
    scope.user = target.user;
    if (target.kind == Target::Kind::kTracepoint) {
        WEIR_TRY(scope.record, kernel::fields_of(target.tracepoint));
        return scope;
    }
    if (target.exit) {
        scope.result = 0;
    }
    if (!kernel.types || target.kind == Target::Kind::kUser) {
        return scope;
    }
    const auto known = target.kind == Target::Kind::kRawTracepoint
                           ? kernel.types->raw_tracepoint(target.name)
                           : kernel.types->function(target.symbol);
    if (known) {
        // At the return the registers hold no arguments any more.
        const std::size_t most = registers ? (target.exit ? 0 : kRegisters) : TRACE_ARGUMENTS;
        scope.arguments = known->parameters;
        scope.arguments.resize(std::min(scope.arguments.size(), most));
    }
    if (target.exit && known) {
        scope.result = known->result;
    }
    return scope;
}

} // namespace weir::trace
