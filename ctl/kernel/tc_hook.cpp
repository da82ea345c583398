#include <linux/pkt_cls.h>
#include <linux/rtnetlink.h>

#include <cerrno>
#include <cstring>

#include <bpf/libbpf.h>

#include "kernel/bpf.h"
#include "kernel/hooks.h"
#include "kernel/netlink_dump.h"
#include "kernel/refusal.h"

namespace weir::kernel {
namespace {

// Where our filter stands among an interface's clsact filters. Any number does, as long as it stays
// the same: the filter is found again by it.
constexpr std::uint32_t kHandle = 0x77656972; // "weir"
constexpr std::uint32_t kPriority = 0x7765;

bpf_attach_type tcx_type(hook at) {
    return static_cast<bpf_attach_type>(at == HOOK_TC_INGRESS ? kTcxIngress : kTcxEgress);
}

Program program_for(hook at) {
    return at == HOOK_TC_INGRESS ? Program::kTcIngress : Program::kTcEgress;
}

struct ClsactHook : Options<bpf_tc_hook> {
    ClsactHook(std::uint32_t device, hook at) {
        ifindex = static_cast<int>(device);
        attach_point = at == HOOK_TC_INGRESS ? BPF_TC_INGRESS : BPF_TC_EGRESS;
    }
};

struct OurFilter : Options<bpf_tc_opts> {
    OurFilter() {
        handle = kHandle;
        priority = kPriority;
    }
};

// Programs attached by TCX; none on kernels before 6.6.
std::vector<std::uint32_t> tcx_programs(std::uint32_t ifindex, hook at) {
    std::vector<std::uint32_t> ids(64); // BPF_MPROG_MAX
    Options<struct bpf_prog_query_opts> query;
    query.prog_ids = ids.data();
    query.prog_cnt = static_cast<__u32>(ids.size());
    if (bpf_prog_query_opts(static_cast<int>(ifindex), tcx_type(at), &query) != 0) {
        return {};
    }
    ids.resize(query.prog_cnt);
    return ids;
}

std::optional<std::uint32_t> filter_program(const nlattr* filter_options) {
    std::optional<std::uint32_t> id;
    each_nested(filter_options, [&](const nlattr* attribute) {
        if (mnl_attr_get_type(attribute) == TCA_BPF_ID) {
            id = mnl_attr_get_u32(attribute);
        }
    });
    return id;
}

// Programs attached by clsact's BPF filters.
Result<std::vector<std::uint32_t>> clsact_programs(std::uint32_t ifindex, hook at) {
    WEIR_TRY(Netlink netlink, Netlink::open(NETLINK_ROUTE));
    Request request(RTM_GETTFILTER, NLM_F_DUMP);
    auto* header = request.header<tcmsg>();
    header->tcm_family = AF_UNSPEC;
    header->tcm_ifindex = static_cast<int>(ifindex);
    header->tcm_parent =
        TC_H_MAKE(TC_H_CLSACT, at == HOOK_TC_INGRESS ? TC_H_MIN_INGRESS : TC_H_MIN_EGRESS);
    std::vector<std::uint32_t> ids;
    int code = 0;
    auto asked = netlink.ask(
        request, "listing TC filters",
        [&](const nlmsghdr* message) {
            if (message->nlmsg_type != RTM_NEWTFILTER) {
                return;
            }
            each_attribute(message, sizeof(tcmsg), [&](const nlattr* attribute) {
                if (mnl_attr_get_type(attribute) == TCA_OPTIONS) {
                    if (const auto id = filter_program(attribute)) {
                        ids.push_back(*id);
                    }
                }
            });
        },
        &code);
    // An interface without the qdisc has no filters.
    if (!asked && code != EINVAL && code != ENOENT && code != ENODEV) {
        return fail(std::move(asked).error());
    }
    return ids;
}

Result<> attach_clsact(const Node& node, const Interface& device, hook at) {
    const LibraryLog log;
    WEIR_TRY(const Fd program, open_pin(node.pins().program(name(program_for(at)))));
    ClsactHook place(device.index, at);
    if (const int error = bpf_tc_hook_create(&place); error != 0 && error != -EEXIST) {
        return refusal("adding the clsact qdisc to " + device.name, -error);
    }
    OurFilter filter;
    filter.prog_fd = program.get();
    if (const int error = bpf_tc_attach(&place, &filter); error != 0) {
        if (error == -EEXIST) {
            return fail(device.name + ": a TC filter with preference " + std::to_string(kPriority) +
                        " and handle 0x77656972 is there already: `tc filter del` it");
        }
        return refusal("attaching a TC filter to " + device.name, -error);
    }
    return {};
}

} // namespace

Result<std::vector<std::uint32_t>> tc_programs(std::uint32_t ifindex, hook at) {
    std::vector<std::uint32_t> all = tcx_programs(ifindex, at);
    WEIR_TRY(const auto filters, clsact_programs(ifindex, at));
    all.insert(all.end(), filters.begin(), filters.end());
    return all;
}

Result<HookState> tc_state(const Node& node, std::uint32_t ifindex, hook at) {
    HookState state;
    const auto look = [&](const std::vector<std::uint32_t>& ids, const char* mode) -> Result<> {
        for (const std::uint32_t id : ids) {
            WEIR_TRY(const bool mine, is_ours(node, id));
            if (mine) {
                state.ours = {id, mode, ""};
            } else {
                state.others.push_back(label(id));
            }
        }
        return {};
    };
    WEIR_CHECK(look(tcx_programs(ifindex, at), "tcx"));
    WEIR_TRY(const auto filters, clsact_programs(ifindex, at));
    WEIR_CHECK(look(filters, "clsact"));
    return state;
}

Result<> attach_tc(const Node& node, const Interface& device, hook at) {
    WEIR_TRY(const HookState there, tc_state(node, device.index, at));
    if (there.ours) {
        return {};
    }
    // A pin left by an interface that went away under the same number.
    WEIR_CHECK(remove_link(node, device.index, at));
    WEIR_TRY(const Fd program, open_pin(node.pins().program(name(program_for(at)))));
    const Fd link(
        bpf_link_create(program.get(), static_cast<int>(device.index), tcx_type(at), nullptr));
    if (link) {
        return pin(link.get(), link_pin(node, device.index, at));
    }
    // Kernels before 6.6 know no such attach type.
    if (errno == EINVAL) {
        return attach_clsact(node, device, at);
    }
    return refusal("attaching TC to " + device.name, errno);
}

Result<> detach_tc(const Node& node, std::uint32_t ifindex, hook at) {
    WEIR_CHECK(remove_link(node, ifindex, at));
    const LibraryLog log;
    const ClsactHook place(ifindex, at);
    OurFilter found;
    if (bpf_tc_query(&place, &found) != 0) {
        return {};
    }
    WEIR_TRY(const bool mine, is_ours(node, found.prog_id));
    if (!mine) {
        return {};
    }
    const OurFilter filter;
    if (const int error = bpf_tc_detach(&place, &filter); error != 0) {
        return refusal("detaching TC", -error);
    }
    return {};
}

} // namespace weir::kernel
