#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "kernel/attach.h"

// What attach.cpp needs of each hook. XDP: by libxdp, or exclusively by one bpf_link
// (xdp_hook.cpp); TC: by TCX, or by clsact where the kernel has no TCX (tc_hook.cpp).
namespace weir::kernel {

// What runs on a hook; `ours` is none if Weir's program is not among it.
struct HookState {
    struct Ours {
        std::uint32_t program_id = 0;
        std::string mode;
        std::string sharing;
    };
    std::optional<Ours> ours;
    std::vector<std::string> others; // "xdp_filter (id 12)"
};

// Whether a program is an instance of this node's: it uses this node's maps.
Result<bool> is_ours(const Node& node, std::uint32_t program_id);
std::string label(std::uint32_t program_id); // "xdp_filter (id 12)"

Result<HookState> xdp_state(const Node& node, std::uint32_t ifindex);
Result<> attach_xdp(const Node& node, const Interface& device, const AttachRequest& request,
                    std::vector<std::string>& warnings);
// Nothing to detach is no error. Other people's programs stay.
Result<> detach_xdp(const Node& node, std::uint32_t ifindex);

// Anybody's, by TCX and by clsact's filters.
Result<std::vector<std::uint32_t>> tc_programs(std::uint32_t ifindex, hook at);
Result<HookState> tc_state(const Node& node, std::uint32_t ifindex, hook at);
Result<> attach_tc(const Node& node, const Interface& device, hook at);
Result<> detach_tc(const Node& node, std::uint32_t ifindex, hook at);

// Links of ours are pinned by interface number: bpffs takes no dots, interface names have them.
std::filesystem::path link_pin(const Node& node, std::uint32_t ifindex, hook at);
// Removes a pin, and with it the link, whatever became of its interface.
Result<> remove_link(const Node& node, std::uint32_t ifindex, hook at);
// The pinned link's program if the link still holds an interface; none if there is no such link.
Result<std::optional<std::uint32_t>> linked_program(const Node& node, std::uint32_t ifindex,
                                                    hook at);

} // namespace weir::kernel
