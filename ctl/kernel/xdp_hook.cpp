#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include <bpf/libbpf.h>
#include <xdp/libxdp.h>

#include "kernel/bpf.h"
#include "kernel/dispatcher.h"
#include "kernel/hooks.h"
#include "kernel/objects.h"
#include "kernel/probe_bpf.h"
#include "kernel/refusal.h"

namespace weir::kernel {
namespace {

using Multiprog = std::unique_ptr<xdp_multiprog, void (*)(xdp_multiprog*)>;
using XdpProgram = std::unique_ptr<xdp_program, void (*)(xdp_program*)>;

struct Query {
    std::uint32_t program_id = 0;
    std::string mode;
};

Result<Query> query(std::uint32_t ifindex) {
    Options<bpf_xdp_query_opts> answer;
    if (const int error = bpf_xdp_query(static_cast<int>(ifindex), 0, &answer); error != 0) {
        return refusal("asking what XDP runs", -error);
    }
    switch (answer.attach_mode) {
    case XDP_ATTACHED_DRV:
        return Query{answer.drv_prog_id, "native"};
    case XDP_ATTACHED_SKB:
        return Query{answer.skb_prog_id, "generic"};
    case XDP_ATTACHED_HW:
        return Query{answer.hw_prog_id, "offload"};
    case XDP_ATTACHED_MULTI:
        return Query{answer.drv_prog_id ? answer.drv_prog_id : answer.skb_prog_id,
                     answer.drv_prog_id ? "native" : "generic"};
    default:
        return Query{};
    }
}

// None if nothing is attached.
Multiprog multiprog(std::uint32_t ifindex) {
    xdp_multiprog* found = xdp_multiprog__get_from_ifindex(static_cast<int>(ifindex));
    return {libxdp_get_error(found) != 0 ? nullptr : found, xdp_multiprog__close};
}

// Programs behind libxdp's dispatcher; empty if the interface carries a program of its own.
std::vector<std::uint32_t> dispatched(const xdp_multiprog* programs) {
    std::vector<std::uint32_t> ids;
    if (programs && !xdp_multiprog__is_legacy(programs)) {
        for (xdp_program* one = xdp_multiprog__next_prog(nullptr, programs); one;
             one = xdp_multiprog__next_prog(one, programs)) {
            ids.push_back(xdp_program__id(one));
        }
    }
    return ids;
}

std::string driver_of(const Interface& device) {
    ethtool_drvinfo info{};
    info.cmd = ETHTOOL_GDRVINFO;
    ifreq request{};
    std::strncpy(request.ifr_name, device.name.c_str(), IFNAMSIZ - 1);
    request.ifr_data = reinterpret_cast<char*>(&info);
    const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (socket && ::ioctl(socket.get(), SIOCETHTOOL, &request) == 0 && info.driver[0] != '\0') {
        return info.driver;
    }
    return device.kind.empty() ? "unknown" : device.kind;
}

tl::unexpected<Error> mode_refusal(const Interface& device, const char* mode, int error,
                                   const LibraryLog& log) {
    if (error == EOPNOTSUPP) {
        return fail(device.name + ": driver '" + driver_of(device) + "' has no " + mode +
                    " XDP: use `--mode generic`, or `--mode auto`");
    }
    if (error == EBUSY || error == EEXIST) {
        return fail(device.name + ": another XDP program came in between: `ip -d link show " +
                    device.name + "` names it");
    }
    auto refused = refusal("attaching " + std::string(mode) + " XDP to " + device.name, error);
    const std::string reason = log.reason();
    return reason.empty() ? refused : fail(refused.value().message() + " (" + reason + ")");
}

// How one attempt ended: done, or what the kernel said.
struct Attempt {
    int error = 0;
    std::optional<Error> refused;
    bool stub_refused = false; // the dispatcher's functions leave packets alone; ours does not
    std::string warning;
};

// libxdp loads the program itself: behind its dispatcher it is one of another type (freplace), so
// that the pinned one cannot serve. The maps are the pinned ones.
Result<Attempt> try_libxdp(const Node& node, const Interface& device, bool native) {
    WEIR_TRY(Object object, Object::open(ObjectFile::kIngress, node.limits()));
    WEIR_CHECK(
        object.reuse_maps(node.pins().root() / "maps", [](std::string_view) { return false; }));
    const LibraryLog log;
    Options<xdp_program_opts> settings;
    settings.obj = object.get();
    settings.prog_name = name(Program::kIngress).data();
    const XdpProgram program(xdp_program__create(&settings), xdp_program__close);
    const char* mode = native ? "native" : "generic";
    if (const long error = libxdp_get_error(program.get()); error != 0) {
        (void)const_cast<XdpProgram&>(program).release();
        return fail(mode_refusal(device, mode, static_cast<int>(-error), log).value());
    }
    const int error = -xdp_program__attach(program.get(), static_cast<int>(device.index),
                                           native ? XDP_MODE_NATIVE : XDP_MODE_SKB, 0);
    if (error != 0) {
        // The verifier's words; kernel/bpf/verifier.c, bpf_check_attach_target().
        const bool stub = error == EINVAL && log.mentions("Extension program changes packet data");
        return Attempt{error, mode_refusal(device, mode, error, log).value(), stub, ""};
    }
    return Attempt{};
}

Result<Attempt> try_link(const Node& node, const Interface& device, bool native) {
    WEIR_TRY(const Fd program, open_pin(node.pins().program(name(Program::kIngress))));
    Options<bpf_link_create_opts> settings;
    settings.flags = native ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE;
    const LibraryLog log;
    const Fd link(
        bpf_link_create(program.get(), static_cast<int>(device.index), BPF_XDP, &settings));
    if (!link) {
        const int error = errno;
        return Attempt{error,
                       mode_refusal(device, native ? "native" : "generic", error, log).value(),
                       false, ""};
    }
    WEIR_CHECK(pin(link.get(), link_pin(node, device.index, HOOK_XDP)));
    return Attempt{};
}

std::string all_of(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& one : names) {
        text += (text.empty() ? "" : ", ") + one;
    }
    return text;
}

// Where libxdp's dispatcher cannot hold Weir, one of ours in its place; where libxdp does not take
// that, a link, if nobody else is on the interface.
Result<Attempt> try_shared(const Node& node, const Interface& device, bool native) {
    WEIR_TRY(const Attempt stock, try_libxdp(node, device, native));
    if (!stock.stub_refused) {
        return stock;
    }
    Result<Attempt> own = Attempt{};
    const auto offered = with_own_dispatcher([&] { own = try_libxdp(node, device, native); });
    if (offered && (!own || !own->stub_refused)) {
        return own;
    }
    const std::string why = "this kernel lets libxdp's dispatcher hold no program that changes "
                            "packets, and Weir's cannot take its place: " +
                            (offered ? own->refused : std::optional(offered.error()))->message();
    WEIR_TRY(const HookState there, xdp_state(node, device.index));
    if (!there.others.empty()) {
        return fail(device.name + " carries XDP program " + all_of(there.others) + ", and " + why +
                    ": take it off with `xdp-loader unload " + device.name +
                    " --all`, or attach with --hook tc-ingress");
    }
    WEIR_TRY(Attempt link, try_link(node, device, native));
    link.warning = device.name + ": " + why +
                   ": attached by a link, no other XDP program can share the interface";
    return link;
}

Result<> refuse_strangers(const Interface& device, const AttachRequest& request,
                          const HookState& there, bool dispatcher) {
    if (there.others.empty()) {
        return {};
    }
    const std::string who = device.name + " carries XDP program " + there.others.front();
    if (!dispatcher) {
        return fail(who +
                    ", not loaded by libxdp: Weir cannot share with it; take it off with `ip link "
                    "set dev " +
                    device.name + " xdp off`");
    }
    if (request.exclusive) {
        return fail(who +
                    " behind libxdp's dispatcher: attach without --exclusive to share, or take "
                    "it off with `xdp-loader unload " +
                    device.name + " --all`");
    }
    return {};
}

// Whether a link may stand in for a dispatcher: see try_shared().
bool links_stand_in() {
    return try_freplace().works && !try_changing_freplace().works;
}

Result<> check_same(const Interface& device, const AttachRequest& request,
                    const HookState::Ours& ours, std::vector<std::string>& warnings) {
    const std::string mend = ": run `weir detach " + device.name + " --hook xdp` first";
    const bool link = ours.sharing == "link";
    if (link && !request.exclusive && links_stand_in()) {
        warnings.push_back(device.name +
                           ": XDP is attached already, by a link: no other XDP "
                           "program can share the interface; to try to share it" +
                           mend.substr(1));
    } else if (request.exclusive != link) {
        return fail(device.name + ": XDP is attached already, " +
                    (request.exclusive ? "by libxdp" : "exclusively") + mend);
    }
    if ((request.mode == XdpMode::kNative && ours.mode != "native") ||
        (request.mode == XdpMode::kGeneric && ours.mode != "generic")) {
        return fail(device.name + ": XDP is attached already, in " + ours.mode + " mode" + mend);
    }
    return {};
}

int leave_dispatcher(const HookState::Ours& ours, std::uint32_t ifindex) {
    const XdpProgram program(xdp_program__from_id(ours.program_id), xdp_program__close);
    return xdp_program__detach(program.get(), static_cast<int>(ifindex),
                               ours.mode == "native" ? XDP_MODE_NATIVE : XDP_MODE_SKB, 0);
}

} // namespace

Result<HookState> xdp_state(const Node& node, std::uint32_t ifindex) {
    const LibraryLog silence;
    HookState state;
    WEIR_TRY(const Query now, query(ifindex));
    if (now.program_id == 0) {
        return state;
    }
    WEIR_TRY(const auto linked, linked_program(node, ifindex, HOOK_XDP));
    if (linked == now.program_id) {
        state.ours = {now.program_id, now.mode, "link"};
        return state;
    }
    const Multiprog programs = multiprog(ifindex);
    const auto behind = dispatched(programs.get());
    const bool dispatcher = !behind.empty();
    for (const std::uint32_t id : dispatcher ? behind : std::vector{now.program_id}) {
        WEIR_TRY(const bool mine, is_ours(node, id));
        if (mine) {
            state.ours = {id, now.mode, dispatcher ? "dispatcher" : "single"};
        } else {
            state.others.push_back(label(id));
        }
    }
    return state;
}

Result<> attach_xdp(const Node& node, const Interface& device, const AttachRequest& request,
                    std::vector<std::string>& warnings) {
    WEIR_TRY(const HookState there, xdp_state(node, device.index));
    if (there.ours) {
        return check_same(device, request, *there.ours, warnings);
    }
    const bool dispatcher = !dispatched(multiprog(device.index).get()).empty();
    WEIR_CHECK(refuse_strangers(device, request, there, dispatcher));
    // A pin left by an interface that went away under the same number.
    WEIR_CHECK(remove_link(node, device.index, HOOK_XDP));

    const auto attempt = request.exclusive ? try_link : try_shared;
    const auto settle = [&](Attempt& done) -> Result<> {
        if (!done.warning.empty()) {
            warnings.push_back(std::move(done.warning));
        }
        return {};
    };
    if (request.mode == XdpMode::kGeneric) {
        WEIR_TRY(Attempt generic, attempt(node, device, false));
        return generic.refused ? Result<>(fail(*std::move(generic.refused))) : settle(generic);
    }
    WEIR_TRY(Attempt native, attempt(node, device, true));
    if (!native.refused) {
        return settle(native);
    }
    const bool of_the_device = native.error != EPERM && native.error != EACCES &&
                               native.error != EBUSY && native.error != EEXIST;
    if (request.mode == XdpMode::kNative || !of_the_device) {
        return fail(*std::move(native.refused));
    }
    WEIR_TRY(Attempt generic, attempt(node, device, false));
    if (generic.refused) {
        return fail(native.refused->message() + "; " + generic.refused->message());
    }
    const std::string why =
        native.error == EOPNOTSUPP
            ? device.name + ": driver '" + driver_of(device) + "' has no native XDP"
            : native.refused->message();
    warnings.push_back(why + ": generic mode, which is slower");
    return settle(generic);
}

Result<> detach_xdp(const Node& node, std::uint32_t ifindex) {
    const LibraryLog log;
    WEIR_CHECK(remove_link(node, ifindex, HOOK_XDP));
    WEIR_TRY(const HookState there, xdp_state(node, ifindex));
    if (!there.ours) {
        return {};
    }
    int error = 0;
    if (there.ours->sharing == "dispatcher") {
        const auto leave = [&] { return leave_dispatcher(*there.ours, ifindex); };
        error = leave();
        if (error != 0) {
            // The others go behind a new dispatcher, and may be programs for ours only.
            (void)with_own_dispatcher([&] { error = leave(); });
        }
    } else {
        // By its descriptor, so that a program that came in between stays.
        WEIR_TRY(const Fd program, program_by_id(there.ours->program_id));
        Options<bpf_xdp_attach_opts> settings;
        settings.old_prog_fd = program.get();
        error =
            bpf_xdp_detach(static_cast<int>(ifindex),
                           XDP_FLAGS_REPLACE | (there.ours->mode == "native" ? XDP_FLAGS_DRV_MODE
                                                                             : XDP_FLAGS_SKB_MODE),
                           &settings);
    }
    if (error != 0) {
        auto refused = refusal("detaching XDP", -error);
        const std::string reason = log.reason();
        return reason.empty() ? refused : fail(refused.value().message() + " (" + reason + ")");
    }
    return {};
}

} // namespace weir::kernel
