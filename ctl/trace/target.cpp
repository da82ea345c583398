#include "trace/target.h"

#include <fmt/format.h>
#include <fnmatch.h>
#include <linux/pkt_cls.h>

#include <algorithm>

#include "kernel/usdt.h"
#include "maps/trace.h"
#include "text/rule_text.h"
#include "trace/usdt_arguments.h"

namespace weir::trace {
namespace {

using SourceKind = Source::Kind;

constexpr std::size_t kArgumentRegisters = 6; // that carry arguments

bool is_pattern(const std::string& name) {
    return name.find_first_of("*?[") != std::string::npos;
}

std::string nearest(const std::string& name, const std::vector<std::string>& known) {
    const std::string near = text::did_you_mean(name, {known.begin(), known.end()});
    return near.empty() ? "" : fmt::format("; did you mean '{}'?", near);
}

Result<Targets> functions(const Source& source, const Kernel& kernel) {
    Targets targets;
    const bool exit = source.kind == SourceKind::kReturn;
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
    const bool exit = source.kind == SourceKind::kSyscallReturn;
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
                             .exit = source.kind == SourceKind::kUserReturn,
                             .user = true,
                             .symbol = source.name,
                             .place = {.file = source.subsystem, .symbol = source.name}});
    return targets;
}

bool matches(const std::string& pattern, const std::string& name) {
    return fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
}

Result<Targets> usdt(const Source& source) {
    auto read = kernel::read_usdt(source.subsystem);
    if (!read) {
        return fail(std::move(read).error().while_(source.text));
    }
    const kernel::UsdtFile file = *std::move(read);
    Targets targets;
    std::vector<std::string> names;
    for (const kernel::UsdtProbe& probe : file.probes) {
        names.push_back(source.provider == "*" ? probe.name : probe.provider + ":" + probe.name);
        if (!matches(source.provider, probe.provider) || !matches(source.name, probe.name)) {
            continue;
        }
        targets.found.push_back(
            {.kind = Target::Kind::kUser,
             .name = "usdt:" + probe.provider + ":" + probe.name,
             .user = true,
             .place = {.file = file.path, .offset = probe.offset, .semaphore = probe.semaphore},
             .placed = parse_usdt_arguments(probe.arguments)});
    }
    if (names.empty()) {
        return fail(fmt::format("{}: {} has no USDT probes", source.text, file.path));
    }
    if (targets.found.empty()) {
        const std::string wanted =
            source.provider == "*" ? source.name : source.provider + ":" + source.name;
        return fail(fmt::format("{}: {} has no such USDT probe{}", source.text, file.path,
                                nearest(wanted, names)));
    }
    return targets;
}

// Programs of XDP or TC that are loaded now.
Result<Targets> programs(const Source& source) {
    const bool xdp = source.kind == SourceKind::kXdp || source.kind == SourceKind::kXdpReturn;
    const bool exit = source.kind == SourceKind::kXdpReturn || source.kind == SourceKind::kTcReturn;
    const auto context = xdp ? kernel::ProgramContext::kXdp : kernel::ProgramContext::kTc;
    WEIR_TRY(const auto found, kernel::find_programs(context, source.name));
    if (found.empty()) {
        WEIR_TRY(const auto all, kernel::loaded_programs(context));
        std::vector<std::string> names;
        for (const kernel::LoadedProgram& each : all) {
            names.push_back(each.full_name());
        }
        return fail(fmt::format("{}: no such {} program is loaded{}", source.text,
                                xdp ? "XDP" : "TC", nearest(source.name, names)));
    }
    Targets targets;
    for (const kernel::LoadedProgram& each : found) {
        const std::string name =
            fmt::format("{}:{}@{}", xdp ? "xdp" : "tc", each.full_name(), exit ? "exit" : "entry");
        if (each.function_id == 0) {
            targets.skipped.push_back({name, "loaded without BTF, which fentry needs"});
        } else if (!each.jited) {
            targets.skipped.push_back({name, "interpreted: fentry needs the JIT"});
        } else {
            targets.found.push_back(
                {.kind = Target::Kind::kProgram, .name = name, .exit = exit, .program = each});
        }
    }
    return targets;
}

// What a program of TC answers with: include/uapi/linux/pkt_cls.h, which the kernel's types do not
// name.
const ValueNames& tc_actions() {
    static const ValueNames names = {{"TC_ACT_UNSPEC", TC_ACT_UNSPEC},
                                     {"TC_ACT_OK", TC_ACT_OK},
                                     {"TC_ACT_RECLASSIFY", TC_ACT_RECLASSIFY},
                                     {"TC_ACT_SHOT", TC_ACT_SHOT},
                                     {"TC_ACT_PIPE", TC_ACT_PIPE},
                                     {"TC_ACT_STOLEN", TC_ACT_STOLEN},
                                     {"TC_ACT_QUEUED", TC_ACT_QUEUED},
                                     {"TC_ACT_REPEAT", TC_ACT_REPEAT},
                                     {"TC_ACT_REDIRECT", TC_ACT_REDIRECT},
                                     {"TC_ACT_TRAP", TC_ACT_TRAP}};
    return names;
}

// What fentry sees is what the kernel hands to the program, not the context that it was written
// for.
Result<Scope> scope_of_program(Scope scope, const Target& target) {
    if (scope.types == nullptr) {
        return fail("the kernel tells no types (CONFIG_DEBUG_INFO_BTF)");
    }
    const bool xdp = target.program.context == kernel::ProgramContext::kXdp;
    scope.of = target.program.full_name(); // the same at its entry and its exit
    const auto type = scope.types->pointer_to(xdp ? "xdp_buff" : "sk_buff");
    scope.arguments = {{xdp ? "xdp" : "skb", type.value_or(0)}};
    if (target.exit) {
        const auto verdicts = xdp ? scope.types->enumeration("xdp_action") : std::nullopt;
        scope.result_names = verdicts ? scope.types->enumerators(*verdicts) : tc_actions();
    }
    return scope;
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
    case SourceKind::kFunction:
    case SourceKind::kReturn:
        return functions(source, kernel);
    case SourceKind::kTracepoint:
        return tracepoints(source);
    case SourceKind::kRawTracepoint:
        return raw_tracepoint(source, kernel);
    case SourceKind::kSyscall:
    case SourceKind::kSyscallReturn:
        return syscall(source, kernel);
    case SourceKind::kUser:
    case SourceKind::kUserReturn:
        return user_function(source);
    case SourceKind::kUsdt:
        return usdt(source);
    case SourceKind::kXdp:
    case SourceKind::kXdpReturn:
    case SourceKind::kTc:
    case SourceKind::kTcReturn:
        return programs(source);
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
    if (target.kind == Target::Kind::kProgram) {
        return scope_of_program(std::move(scope), target);
    }
    if (target.placed) {
        scope.placed = target.placed;
        for (std::size_t i = 0; i < target.placed->size(); i++) {
            scope.arguments.emplace_back(fmt::format("arg{}", i), 0);
        }
    }
    if (!kernel.types || target.kind == Target::Kind::kUser) {
        return scope;
    }
    const auto known = target.kind == Target::Kind::kRawTracepoint
                           ? kernel.types->raw_tracepoint(target.name)
                           : kernel.types->function(target.symbol);
    if (known) {
        // At the return the registers hold no arguments any more.
        const std::size_t most =
            registers ? (target.exit ? 0 : kArgumentRegisters) : TRACE_ARGUMENTS;
        scope.arguments = known->parameters;
        scope.arguments.resize(std::min(scope.arguments.size(), most));
    }
    if (target.exit && known) {
        scope.result = known->result;
    }
    return scope;
}

} // namespace weir::trace
