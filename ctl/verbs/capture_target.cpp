#include "verbs/capture_target.h"

#include <fmt/format.h>

#include "kernel/attach.h"
#include "kernel/hooks.h"
#include "kernel/netlink.h"
#include "kernel/xdp_programs.h"
#include "verbs/hooks.h"
#include "verbs/state.h"

namespace weir::verbs {
namespace {

std::string label(const kernel::LoadedProgram& program) {
    return fmt::format("{} (id {})", program.full_name(), program.id);
}

// Which of Weir's hooks that program is; none if it is somebody else's.
std::optional<hook> own_hook(const std::string& function) {
    for (const auto& [program, at] : {std::pair{kernel::Program::kIngress, HOOK_XDP},
                                      std::pair{kernel::Program::kTcIngress, HOOK_TC_INGRESS},
                                      std::pair{kernel::Program::kTcEgress, HOOK_TC_EGRESS}}) {
        if (function == kernel::name(program)) {
            return at;
        }
    }
    return std::nullopt;
}

Result<CaptureTarget> on_device(const Context& cx, const kernel::Interface& device,
                                std::uint32_t hooks) {
    CaptureTarget target{.name = device.name, .ifindex = device.index};
    WEIR_TRY(target.node, node_if_loaded(cx));
    std::vector<kernel::Attachment> all;
    if (target.node) {
        WEIR_TRY(all, kernel::attachments(*target.node));
    }
    for (const kernel::Attachment& one : all) {
        if (one.ifindex == device.index && !one.missing) {
            target.hooks |= 1U << one.at;
        }
    }
    if (hooks != 0) {
        target.hooks &= hooks;
    }
    if (target.hooks != 0) {
        return target;
    }
    WEIR_TRY(const auto ids, kernel::xdp_programs_on(device.index));
    std::vector<kernel::LoadedProgram> others;
    std::string names;
    for (const std::uint32_t id : ids) {
        WEIR_TRY(const auto found,
                 kernel::find_programs(kernel::ProgramContext::kXdp, fmt::format("id:{}", id)));
        for (const kernel::LoadedProgram& each : found) {
            others.push_back(each);
            names += (names.empty() ? "" : ", ") + label(each);
        }
    }
    if (others.size() > 1) {
        return usage(fmt::format("{} carries {}: name one, `weir capture id:{}`", device.name,
                                 names, others.front().id));
    }
    if (others.empty() || hooks != 0) {
        return fail(fmt::format("no program to capture at on {}{}: `weir attach {}`", device.name,
                                hooks != 0 ? " on that hook" : "", device.name));
    }
    target.node.reset();
    target.program = others.front();
    return target;
}

Result<CaptureTarget> by_name(const Context& cx, const std::string& word) {
    CaptureTarget target{.name = word};
    WEIR_TRY(target.node, node_if_loaded(cx));
    if (const auto at = own_hook(word); at && target.node) {
        target.hooks = 1U << *at;
        return target;
    }
    WEIR_TRY(auto found, kernel::find_programs(kernel::ProgramContext::kXdp, word));
    if (found.empty()) {
        return usage(fmt::format("'{}': no interface and no XDP program has that name: `bpftool "
                                 "prog show` lists programs",
                                 word));
    }
    if (found.size() > 1) {
        std::string names;
        for (const kernel::LoadedProgram& each : found) {
            names += (names.empty() ? "" : ", ") + label(each);
        }
        return usage(fmt::format("'{}' is {}: name one, id:{}", word, names, found.front().id));
    }
    if (target.node) {
        WEIR_TRY(const bool ours, kernel::is_ours(*target.node, found.front().id));
        if (const auto at = own_hook(found.front().full_name()); ours && at) {
            target.hooks = 1U << *at;
            return target;
        }
    }
    target.node.reset();
    target.name = found.front().full_name();
    target.program = found.front();
    return target;
}

} // namespace

Result<CaptureTarget> find_capture_target(const Context& cx, const std::string& word,
                                          std::uint32_t hooks) {
    WEIR_CHECK(need_rights(cx));
    const auto device = kernel::find_interface(word);
    return device ? on_device(cx, *device, hooks) : by_name(cx, word);
}

} // namespace weir::verbs
