#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

// Packets that were lost, as tracepoints tell of them.
namespace weir::drops {

// Packets that the kernel freed because they were dropped (skb:kfree_skb), and where they were.
struct Drop {
    std::string reason;       // "NETFILTER_DROP"; what SKB_DROP_REASON_ stands before
    std::string function;     // that freed it
    std::uint32_t device = 0; // its interface, by index; 0: none, or no longer known
    std::uint32_t arrived =
        0;                   // the interface that it came in by; 0: none yet, or sent by this host
    std::uint32_t netns = 0; // of `device`; 0: not known

    auto operator<=>(const Drop&) const = default;
};

// Frames that were lost between an XDP program and where it sent them.
struct FrameLoss {
    std::string tracepoint;   // "xdp_redirect_err"
    std::string error;        // "ENXIO", or what the program answered: "ABORTED"
    std::uint32_t from = 0;   // interface that they came in by; 0: not told
    std::uint32_t to = 0;     // interface that they should leave by; 0: not told
    std::uint32_t netns = 0;  // of both
    std::string device = {};  // the name of `from`
    std::string program = {}; // which one; "": not told

    auto operator<=>(const FrameLoss&) const = default;
};

// The tracepoints among them.
inline constexpr const char* kRedirectError = "xdp_redirect_err";
inline constexpr const char* kDevmap = "xdp_devmap_xmit";
inline constexpr const char* kException = "xdp_exception";
inline constexpr const char* kSendBack = "xdp_bulk_tx";
inline constexpr const char* kCpumap = "xdp_cpumap_enqueue";

struct Losses {
    std::map<Drop, std::uint64_t> packets;
    std::map<FrameLoss, std::uint64_t> frames;
    // That did leave, by network namespace and `from`.
    std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint64_t> redirected;
};

// Where in an interface's path a packet is lost, in the order of that path.
enum class Stage {
    kReceiveDriver,
    kXdp,
    kRedirect,
    kBacklog, // of the CPU ("softnet")
    kTcIngress,
    kStack, // netfilter, routing, protocols
    kSocket,
    kSendStack,
    kTcEgress,
    kQdisc,
    kSendDriver,
    kCopy, // no packet was lost, but a copy of it that a packet socket wanted
    kCount,
};
const char* name(Stage stage);
inline bool is_sending(Stage stage) {
    return stage >= Stage::kSendStack && stage <= Stage::kSendDriver;
}

// The interface whose packets are looked at.
struct Device {
    std::string name;
    std::uint32_t index = 0;
    std::uint32_t netns = 0;
    std::uint32_t peer = 0;         // of a veth: the other end's index, in its own namespace
    std::string qdisc = {};         // the root's kind; "": none
    bool weir_xdp = false;          // Weir's XDP program is attached
    bool generic = false;           // in generic mode
    bool other_xdp_program = false; // another one is attached, or also
    std::map<std::uint32_t, std::string> names = {}; // of the namespace's interfaces
};

// Freed for an XDP program's verdict: by generic XDP, and by drivers whose frames are packets from
// the beginning (veth). What most drivers drop there was never a packet.
bool freed_for_xdp(const std::string& reason, const std::string& function);

// Of veths alone: a packet is handed over to the other end before that looks whether it has room, so
// that what has none is at its receiver, while the sender's tx_dropped counts it. What could not be
// handed over at all is still at its sender.
bool lost_between_veths(const Drop& drop);

// Where it was dropped; Stage::kCount: not a packet of that interface.
Stage stage_of(const Drop& drop, const Device& device);

} // namespace weir::drops
