#include "kernel/probe_target.h"

#include "kernel/bpf.h"

namespace weir::kernel {

std::string ProbeTargets::of_kernel(std::uint32_t object, std::uint32_t function) {
    if (!kernel_) {
        if (auto read = Btf::of_kernel()) {
            kernel_ = *std::move(read);
        } else {
            return "";
        }
    }
    const auto [entry, is_new] = modules_.try_emplace(object);
    if (is_new && !Btf::is_of_kernel(object)) {
        if (auto read = Btf::of_module(object, *kernel_)) {
            entry->second = *std::move(read);
        } else {
            return "";
        }
    }
    const Btf& types = entry->second ? *entry->second : *kernel_;
    return types.function_name(function);
}

std::string ProbeTargets::of_program(std::uint32_t target, std::uint32_t function) {
    const auto program = program_by_id(target);
    const auto info = program ? program_info(program->get()) : Result<bpf_prog_info>(fail(""));
    if (!info) {
        return "";
    }
    const auto types = Btf::of_program(info->btf_id);
    return std::string(info->name) + (types ? ":" + types->function_name(function) : "");
}

// A link tells the id of a program or of BTF without saying which; the program that it runs keeps
// the BTF that it was loaded for, which it has not if that is another program's.
std::string ProbeTargets::name(const bpf_link_info& link, const bpf_prog_info& program) {
    const std::uint32_t object = link.tracing.target_obj_id;
    const std::uint32_t function = link.tracing.target_btf_id;
    if (object == 0) {
        return "";
    }
    return program.attach_btf_obj_id == object ? of_kernel(object, function)
                                               : of_program(object, function);
}

std::string kind_of_tracing(const bpf_link_info& link, const bpf_prog_info& program) {
    if (program.type == BPF_PROG_TYPE_EXT) {
        return "freplace";
    }
    switch (link.tracing.attach_type) {
    case BPF_TRACE_FENTRY:
        return "fentry";
    case BPF_TRACE_FEXIT:
        return "fexit";
    case BPF_MODIFY_RETURN:
        return "fmod_ret";
    case BPF_LSM_MAC:
        return "lsm";
    default:
        return "tracing";
    }
}

} // namespace weir::kernel
