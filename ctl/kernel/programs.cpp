#include "kernel/programs.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <fnmatch.h>

#include <cerrno>
#include <charconv>
#include <memory>
#include <optional>

#include "kernel/bpf.h"
#include "kernel/refusal.h"

namespace weir::kernel {
namespace {

std::string name_in(const btf* types, std::uint32_t offset) {
    const char* name = btf__name_by_offset(types, offset);
    return name == nullptr ? "" : name;
}

// The first record tells of the program's own function; the others are its subprograms.
std::uint32_t function_of(int program) {
    bpf_func_info function{};
    bpf_prog_info info{};
    info.func_info = reinterpret_cast<__u64>(&function);
    info.nr_func_info = 1;
    info.func_info_rec_size = sizeof(function);
    __u32 size = sizeof(info);
    return bpf_obj_get_info_by_fd(program, &info, &size) == 0 && info.nr_func_info > 0
               ? function.type_id
               : 0;
}

// The structure that its first argument points to: "xdp_md", "__sk_buff".
std::string argument_of(const btf* types, const btf_type* function) {
    const btf_type* prototype = btf__type_by_id(types, function->type);
    if (prototype == nullptr || !btf_is_func_proto(prototype) || btf_vlen(prototype) == 0) {
        return "";
    }
    const btf_type* type = btf__type_by_id(types, btf_params(prototype)->type);
    while (type != nullptr && (btf_is_ptr(type) || btf_is_mod(type) || btf_is_typedef(type))) {
        type = btf__type_by_id(types, type->type);
    }
    return type == nullptr ? "" : name_in(types, type->name_off);
}

std::optional<ProgramContext> context_of(std::uint32_t type, const std::string& argument) {
    switch (type) {
    case BPF_PROG_TYPE_XDP:
        return ProgramContext::kXdp;
    case BPF_PROG_TYPE_SCHED_CLS:
    case BPF_PROG_TYPE_SCHED_ACT:
        return ProgramContext::kTc;
    case BPF_PROG_TYPE_EXT:
        return argument == "xdp_md"      ? std::optional(ProgramContext::kXdp)
               : argument == "__sk_buff" ? std::optional(ProgramContext::kTc)
                                         : std::nullopt;
    default:
        return std::nullopt;
    }
}

// nullopt: of another kind, or gone meanwhile.
std::optional<LoadedProgram> describe(std::uint32_t id, ProgramContext wanted) {
    const Fd program(bpf_prog_get_fd_by_id(id));
    const auto info = program ? program_info(program.get()) : Result<bpf_prog_info>(fail(""));
    if (!info || (info->type != BPF_PROG_TYPE_EXT && context_of(info->type, "") != wanted)) {
        return std::nullopt;
    }
    LoadedProgram found{
        .id = id, .name = info->name, .context = wanted, .jited = info->jited_prog_len > 0};
    std::string argument;
    if (const std::uint32_t type = info->btf_id == 0 ? 0 : function_of(program.get()); type != 0) {
        const std::unique_ptr<btf, void (*)(btf*)> types(btf__load_from_kernel_by_id(info->btf_id),
                                                         btf__free);
        const btf_type* function = types ? btf__type_by_id(types.get(), type) : nullptr;
        if (function != nullptr && btf_is_func(function)) {
            found.function = name_in(types.get(), function->name_off);
            found.function_id = type;
            argument = argument_of(types.get(), function);
        }
    }
    return context_of(info->type, argument) == wanted ? std::optional(std::move(found))
                                                      : std::nullopt;
}

} // namespace

Result<std::vector<LoadedProgram>> loaded_programs(ProgramContext context) {
    std::vector<LoadedProgram> programs;
    std::uint32_t id = 0;
    while (bpf_prog_get_next_id(id, &id) == 0) {
        if (auto program = describe(id, context)) {
            programs.push_back(*std::move(program));
        }
    }
    if (errno != ENOENT) {
        return refusal("listing BPF programs", errno);
    }
    return programs;
}

Result<std::vector<LoadedProgram>> find_programs(ProgramContext context,
                                                 const std::string& pattern) {
    std::uint32_t id = 0;
    const char* end = pattern.data() + pattern.size();
    if (pattern.starts_with("id:")) {
        const auto [stop, error] = std::from_chars(pattern.data() + 3, end, id);
        if (error != std::errc{} || stop != end || id == 0) {
            return usage("'" + pattern + "': expected id:N, the number of a BPF program");
        }
        const auto program = describe(id, context);
        return program ? std::vector{*program} : std::vector<LoadedProgram>{};
    }
    WEIR_TRY(auto programs, loaded_programs(context));
    std::erase_if(programs, [&](const LoadedProgram& each) {
        return fnmatch(pattern.c_str(), each.name.c_str(), 0) != 0 &&
               fnmatch(pattern.c_str(), each.function.c_str(), 0) != 0;
    });
    return programs;
}

} // namespace weir::kernel
