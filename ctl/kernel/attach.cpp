#include "kernel/attach.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <set>

#include "kernel/bpf.h"
#include "kernel/hooks.h"
#include "kernel/iface_table.h"
#include "kernel/transmitters.h"
#include "kernel/transmitters.h"

namespace weir::kernel {
namespace {

constexpr std::array kHooks = {HOOK_XDP, HOOK_TC_INGRESS, HOOK_TC_EGRESS};

constexpr std::uint32_t bit(hook at) {
    return 1U << at;
}

const char* role_name(std::uint32_t role) {
    switch (role) {
    case ROLE_FILTER:
        return "filter";
    case ROLE_DECAP:
        return "decap";
    default:
        return "balancer";
    }
}

Result<HookState> state_of(const Node& node, std::uint32_t ifindex, hook at) {
    return at == HOOK_XDP ? xdp_state(node, ifindex) : tc_state(node, ifindex, at);
}

Result<> detach_hook(const Node& node, std::uint32_t ifindex, hook at) {
    return at == HOOK_XDP ? detach_xdp(node, ifindex) : detach_tc(node, ifindex, at);
}

// Changes the entry's record of what is attached. The bit of TC ingress makes XDP tell it which packets
// were judged (dataplane/handover.h). Whenever it changes, no packet passes unjudged: one that XDP says
// nothing of is judged by TC, perhaps once more.
Result<> note(Node& node, std::uint32_t ifindex, hook at, bool attached) {
    WEIR_TRY(auto entry, find_entry(node, ifindex));
    if (!entry) {
        return {};
    }
    const std::uint32_t hooks = attached ? entry->hooks | bit(at) : entry->hooks & ~bit(at);
    if (hooks == entry->hooks) {
        return {};
    }
    entry->hooks = static_cast<__u8>(hooks);
    return node.set_iface(ifindex, *entry);
}

// One call's work: what it attached is taken off again unless it is kept.
class Transaction {
public:
    Transaction(Node& node, Interface device) : node_(node), device_(std::move(device)) {}

    Result<> enter_table(role as) {
        WEIR_TRY(before_, find_entry(node_, device_.index));
        WEIR_TRY(const bool busy, attached_with_other_role(as));
        if (busy) {
            return fail(device_.name + " is attached with role " + role_name(before_->role) +
                        ": run `weir detach " + device_.name + "` first, or give --role " +
                        role_name(before_->role));
        }
        return enter_interface(node_, device_, as);
    }

    Result<> attach(hook at, const AttachRequest& request, std::vector<std::string>& warnings) {
        WEIR_TRY(const HookState there, state_of(node_, device_.index, at));
        WEIR_CHECK(at == HOOK_XDP ? attach_xdp(node_, device_, request, warnings)
                                  : attach_tc(node_, device_, at));
        if (!there.ours) {
            mine_.push_back(at);
        }
        return note(node_, device_.index, at, true);
    }

    Result<> attach(const AttachRequest& request, std::vector<std::string>& warnings) {
        for (const hook at : kHooks) {
            if ((request.hooks & bit(at)) != 0) {
                WEIR_CHECK(attach(at, request, warnings));
            }
        }
        return note_transmitters(node_); // some drivers become one by a program
    }

    void undo() {
        for (auto at = mine_.rbegin(); at != mine_.rend(); ++at) {
            (void)note(node_, device_.index, *at, false);
            (void)detach_hook(node_, device_.index, *at);
        }
        if (before_) {
            (void)node_.set_iface(device_.index, *before_);
        } else {
            (void)node_.delete_iface(device_.index);
        }
    }

private:
    Result<bool> attached_with_other_role(role as) {
        if (!before_ || before_->role == static_cast<std::uint32_t>(as)) {
            return false;
        }
        for (const hook at : kHooks) {
            WEIR_TRY(const HookState there, state_of(node_, device_.index, at));
            if (there.ours) {
                return true;
            }
        }
        return false;
    }

    Node& node_;
    Interface device_;
    std::optional<iface> before_;
    std::vector<hook> mine_;
};

// What one interface of the table carries, and what it should carry and does not.
Result<> list_hooks(const Node& node, std::uint32_t ifindex, const iface& entry,
                    const Interface* device, std::vector<Attachment>& all) {
    for (const hook at : kHooks) {
        HookState there;
        if (device) {
            WEIR_TRY(there, state_of(node, ifindex, at));
        }
        const bool noted = (entry.hooks & bit(at)) != 0;
        if (!there.ours && !noted) {
            continue;
        }
        Attachment one;
        one.device = device ? device->name : name_of(entry);
        one.ifindex = ifindex;
        one.at = at;
        one.as = static_cast<role>(entry.role);
        one.others = there.others;
        one.missing = !there.ours;
        one.readdressed =
            device && !std::ranges::equal(device->mac.octets(), entry.mac);
        if (there.ours) {
            one.mode = there.ours->mode;
            one.sharing = there.ours->sharing;
            one.program_id = there.ours->program_id;
        }
        all.push_back(std::move(one));
    }
    return {};
}

// The interface of this entry, if it still is what the entry was made for.
const Interface* device_of(const std::vector<Interface>& links, std::uint32_t ifindex) {
    const auto found = std::find_if(links.begin(), links.end(),
                                    [&](const Interface& link) { return link.index == ifindex; });
    return found == links.end() ? nullptr : &*found;
}

// The programs know Ethernet headers; TC knows frames that begin with their IP header, too.
Result<> check_link_header(const Interface& device, std::uint32_t hooks) {
    if (device.header == LinkHeader::kOther) {
        return fail(device.name + " has neither Ethernet headers nor none: Weir cannot read its frames");
    }
    if (device.header == LinkHeader::kNone && (hooks & bit(HOOK_XDP)) != 0) {
        return fail(device.name + " has no Ethernet headers, which XDP needs: `weir attach " +
                    device.name + " --hook tc-ingress`");
    }
    return {};
}

} // namespace

Result<AttachReport> attach(Node& node, const AttachRequest& request) {
    WEIR_TRY(const Interface device, find_interface(request.device));
    WEIR_CHECK(check_link_header(device, request.hooks));
    AttachReport report;
    Transaction transaction(node, device);
    WEIR_CHECK(transaction.enter_table(request.as));
    if (auto attached = transaction.attach(request, report.warnings); !attached) {
        transaction.undo();
        return fail(std::move(attached).error());
    }
    if (!can_transmit(device, nullptr)) {
        report.warnings.push_back(device.name + " takes no frames from XDP: those for backends behind it "
                                                "are sent by the kernel, which is slower");
    }
    WEIR_TRY(const auto all, attachments(node));
    for (const Attachment& one : all) {
        if (one.ifindex == device.index && (request.hooks & bit(one.at)) != 0) {
            report.attached.push_back(one);
        }
    }
    return report;
}

Result<> detach(Node& node, const std::string& device, std::uint32_t hooks) {
    WEIR_TRY(const auto entries, node.ifaces());
    WEIR_TRY(const auto links, interfaces());
    bool known = false;
    for (const auto& [ifindex, entry] : entries) {
        const Interface* link = device_of(links, ifindex);
        if ((link ? link->name : name_of(entry)) != device) {
            continue;
        }
        known = true;
        for (const hook at : kHooks) {
            if (hooks != 0 && (hooks & bit(at)) == 0) {
                continue;
            }
            WEIR_CHECK(note(node, ifindex, at, false));
            if (link) {
                WEIR_CHECK(detach_hook(node, ifindex, at));
            } else {
                WEIR_CHECK(remove_link(node, ifindex, at));
            }
        }
        WEIR_TRY(const auto left, find_entry(node, ifindex));
        if (!link && left && left->hooks == 0) {
            WEIR_CHECK(node.delete_iface(ifindex));
        }
    }
    if (!known) {
        WEIR_CHECK(find_interface(device));
        return fail("Weir is not attached to " + device);
    }
    return {};
}

Result<std::vector<Attachment>> attachments(const Node& node) {
    WEIR_TRY(const auto entries, node.ifaces());
    WEIR_TRY(const auto links, interfaces());
    std::vector<Attachment> all;
    for (const auto& [ifindex, entry] : entries) {
        WEIR_CHECK(list_hooks(node, ifindex, entry, device_of(links, ifindex), all));
    }
    return all;
}

} // namespace weir::kernel
