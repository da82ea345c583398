#include "kernel/program_times.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include <cerrno>
#include <memory>
#include <string_view>

#include "kernel/bpf.h"
#include "kernel/hooks.h"
#include "kernel/netlink.h"
#include "kernel/refusal.h"

namespace weir::kernel {
namespace {

// The kernel keeps 15 characters of a name; the program's own types have all of it.
std::string full_name(int program, const bpf_prog_info& info) {
    if (info.btf_id == 0) {
        return info.name;
    }
    bpf_func_info function{};
    bpf_prog_info more{};
    more.func_info = reinterpret_cast<__u64>(&function);
    more.nr_func_info = 1;
    more.func_info_rec_size = sizeof(function);
    __u32 size = sizeof(more);
    if (bpf_obj_get_info_by_fd(program, &more, &size) != 0 || more.nr_func_info == 0) {
        return info.name;
    }
    const std::unique_ptr<btf, void (*)(btf*)> types(btf__load_from_kernel_by_id(info.btf_id),
                                                     btf__free);
    const btf_type* type = types ? btf__type_by_id(types.get(), function.type_id) : nullptr;
    const char* name = type == nullptr ? nullptr : btf__name_by_offset(types.get(), type->name_off);
    // The first record may be of another function, where a program was made anew from instructions.
    return name != nullptr && std::string_view(name).starts_with(info.name) ? name : info.name;
}

} // namespace

Result<Fd> count_run_times() {
    Fd counting(bpf_enable_stats(BPF_STATS_RUN_TIME));
    if (!counting) {
        return refusal("counting the run time of BPF programs", errno);
    }
    return counting;
}

Result<std::vector<ProgramTimes>> program_times() {
    std::vector<ProgramTimes> all;
    std::uint32_t id = 0;
    while (bpf_prog_get_next_id(id, &id) == 0) {
        const Fd program(bpf_prog_get_fd_by_id(id));
        const auto info = program ? program_info(program.get()) : Result<bpf_prog_info>(fail(""));
        if (!info) {
            continue; // gone meanwhile
        }
        const char* type = libbpf_bpf_prog_type_str(static_cast<enum bpf_prog_type>(info->type));
        all.push_back({.id = id,
                       .type = type == nullptr ? std::to_string(info->type) : type,
                       // What never ran is not shown.
                       .name = info->run_cnt == 0 ? info->name : full_name(program.get(), *info),
                       .runs = info->run_cnt,
                       .nanoseconds = info->run_time_ns});
    }
    if (errno != ENOENT) {
        return refusal("listing BPF programs", errno);
    }
    return all;
}

Result<std::vector<ProgramPlace>> program_places() {
    std::vector<ProgramPlace> places;
    WEIR_TRY(const auto devices, interfaces());
    for (const Interface& device : devices) {
        if (device.xdp_program != 0) {
            places.push_back({device.xdp_program, device.name + " xdp"});
        }
        for (const hook at : {HOOK_TC_INGRESS, HOOK_TC_EGRESS}) {
            WEIR_TRY(const auto programs, tc_programs(device.index, at));
            for (const std::uint32_t id : programs) {
                places.push_back(
                    {id, device.name + (at == HOOK_TC_INGRESS ? " ingress" : " egress")});
            }
        }
    }
    return places;
}

} // namespace weir::kernel
