#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "kernel/netlink.h"
#include "kernel/node.h"

namespace weir::kernel {

enum class XdpMode { kAuto, kNative, kGeneric };

struct AttachRequest {
    std::string device;
    XdpMode mode = XdpMode::kAuto;
    bool exclusive = false; // XDP by one bpf_link, without libxdp's dispatcher
    role as = ROLE_BALANCER;
    std::uint32_t hooks = (1U << HOOK_XDP) | (1U << HOOK_TC_INGRESS); // bit per enum hook
};

// How a hook is attached, as `weir status` shows it.
struct Attachment {
    std::string device;
    std::uint32_t ifindex = 0;
    hook at{};
    std::string mode;    // "native", "generic"; TC: "tcx", "clsact"
    std::string sharing; // XDP: "dispatcher"; alone: "single" (by libxdp), "link"; TC: ""
    std::uint32_t program_id = 0;
    role as{};
    std::vector<std::string> others; // other programs on the same hook: "xdp_filter (id 12)"
    bool missing = false;            // in Weir's table, but no longer on the interface
    bool readdressed = false;        // its MAC address is another one than when it was attached
};

struct AttachReport {
    std::vector<Attachment> attached;
    std::vector<std::string> warnings; // "veth0: driver has no native XDP: generic mode"
};

// Attaches what is asked and is not there yet. If a hook is refused, the ones attached by this call
// are taken off again. Attaching twice the same changes nothing.
Result<AttachReport> attach(Node& node, const AttachRequest& request);
// Detaches the given hooks (0: all of them) of one interface; its counters stay.
Result<> detach(Node& node, const std::string& device, std::uint32_t hooks);
Result<std::vector<Attachment>> attachments(const Node& node);

} // namespace weir::kernel
