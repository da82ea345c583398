#include "kernel/hooks.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "kernel/bpf.h"
#include "kernel/refusal.h"

namespace weir::kernel {
namespace {

const char* pin_prefix(hook at) {
    switch (at) {
    case HOOK_XDP:
        return "xdp-";
    case HOOK_TC_INGRESS:
        return "tc-ingress-";
    default:
        return "tc-egress-";
    }
}

} // namespace

Result<bool> is_ours(const Node& node, std::uint32_t program_id) {
    const auto program = program_by_id(program_id);
    if (!program) {
        return false; // gone since it was listed
    }
    WEIR_TRY(const auto ids, map_ids_of(program->get()));
    WEIR_TRY(const bpf_map_info control, map_info(node.map(maps::control.name)));
    return std::find(ids.begin(), ids.end(), control.id) != ids.end();
}

std::string label(std::uint32_t program_id) {
    std::string text = "(id " + std::to_string(program_id) + ")";
    if (const auto program = program_by_id(program_id)) {
        if (const auto info = program_info(program->get())) {
            text = info->name + (" " + text);
        }
    }
    return text;
}

std::filesystem::path link_pin(const Node& node, std::uint32_t ifindex, hook at) {
    return node.pins().link(pin_prefix(at) + std::to_string(ifindex));
}

Result<> remove_link(const Node& node, std::uint32_t ifindex, hook at) {
    const auto path = link_pin(node, ifindex, at);
    // A link whose interface is gone has no holder but its pin. Detached first: another process may
    // hold the link open.
    if (const Fd link(bpf_obj_get(path.c_str())); link) {
        (void)bpf_link_detach(link.get());
    }
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
        return refusal("removing " + path.string(), errno);
    }
    return {};
}

Result<std::optional<std::uint32_t>> linked_program(const Node& node, std::uint32_t ifindex,
                                                    hook at) {
    const auto path = link_pin(node, ifindex, at);
    const Fd link(bpf_obj_get(path.c_str()));
    if (!link) {
        if (errno == ENOENT) {
            return std::nullopt;
        }
        return refusal("opening " + path.string(), errno);
    }
    bpf_link_info info{};
    __u32 size = sizeof(info);
    if (bpf_obj_get_info_by_fd(link.get(), &info, &size) != 0) {
        return refusal("asking about " + path.string(), errno);
    }
    // BPF_LINK_TYPE_TCX's information begins with the ifindex, as XDP's does; 0: interface gone.
    if (info.xdp.ifindex != ifindex) {
        return std::nullopt;
    }
    return info.prog_id;
}

} // namespace weir::kernel
