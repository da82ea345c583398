#include "drops/drop.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace weir::drops {
namespace {

using Words = std::initializer_list<std::string_view>;

bool begins(std::string_view word, Words with) {
    return std::any_of(with.begin(), with.end(), [&](auto each) { return word.starts_with(each); });
}
bool is_one(std::string_view word, Words of) {
    return std::find(of.begin(), of.end(), word) != of.end();
}

// Freed by a driver, or by the core for one, that says no more.
bool freed_by_driver(const Drop& drop) {
    return begins(drop.function, {"dev_kfree_skb", "__dev_kfree_skb", "net_tx_action", "tun_"}) ||
           is_one(drop.reason, {"DEV_READY", "FULL_RING", "NO_TX_TARGET"}) ||
           begins(drop.reason, {"TAP_"});
}

bool is_copy(const Drop& drop) {
    return drop.reason == "PACKET_SOCK_ERROR" ||
           begins(drop.function, {"packet_rcv", "tpacket_rcv"});
}

bool by_qdisc(const Drop& drop, const Device& device) {
    return begins(drop.reason, {"QDISC_", "CAKE_", "FQ_", "DUALPI2_"}) ||
           (!device.qdisc.empty() && drop.function.starts_with(device.qdisc + "_"));
}

// Before __netif_receive_skb has noted by which interface the packet came.
bool just_received(const Drop& drop) {
    return drop.reason == "CPU_BACKLOG" || freed_for_xdp(drop.reason, drop.function) ||
           begins(drop.function, {"enqueue_to_backlog", "netif_rx", "__netif_receive", "napi_",
                                  "gro_", "tun_get_user"});
}

Stage receiving(const Drop& drop) {
    if (drop.reason == "CPU_BACKLOG") {
        return Stage::kBacklog;
    }
    if (freed_for_xdp(drop.reason, drop.function)) {
        return Stage::kXdp;
    }
    if (begins(drop.reason, {"TC_INGRESS", "TC_COOKIE", "TC_CHAIN", "TC_RECLASSIFY"})) {
        return Stage::kTcIngress;
    }
    if (freed_by_driver(drop) || begins(drop.function, {"napi_", "gro_"})) {
        return Stage::kReceiveDriver;
    }
    const bool tcp = drop.reason.starts_with("TCP_") && drop.reason != "TCP_CSUM";
    if (tcp || begins(drop.reason, {"SOCKET_", "PROTO_MEM", "QUEUE_PURGE"}) ||
        begins(drop.function, {"udp_destruct", "udpv6_destruct", "inet_sock_destruct",
                               "__skb_queue_purge", "skb_queue_purge", "sk_stream_kill"})) {
        return Stage::kSocket;
    }
    return Stage::kStack;
}

Stage sending(const Drop& drop, const Device& device) {
    if (by_qdisc(drop, device)) {
        return Stage::kQdisc;
    }
    if (begins(drop.reason, {"TC_"})) {
        return Stage::kTcEgress;
    }
    const bool transmits =
        drop.function.find("xmit") != std::string::npos && drop.function != "ip6_xmit";
    if (freed_by_driver(drop) || transmits ||
        begins(drop.function, {"____dev_forward_skb", "__dev_forward_skb"})) {
        return Stage::kSendDriver;
    }
    return Stage::kSendStack;
}

} // namespace

const char* name(Stage stage) {
    constexpr std::array<const char*, static_cast<std::size_t>(Stage::kCount)> kNames = {
        "driver", "xdp",   "redirect",  "softnet", "tc-ingress", "stack",
        "socket", "stack", "tc-egress", "qdisc",   "driver",     "copies"};
    return kNames.at(static_cast<std::size_t>(stage));
}

bool lost_between_veths(const Drop& drop) {
    return drop.arrived == 0 &&
           begins(drop.function, {"veth_xmit", "dev_kfree_skb", "__dev_kfree_skb"});
}

bool freed_for_xdp(const std::string& reason, const std::string& function) {
    return reason == "XDP" ||
           begins(function, {"veth_xdp", "veth_poll", "netif_receive_generic_xdp", "do_xdp_generic",
                             "bpf_prog_run_generic_xdp"});
}

Stage stage_of(const Drop& drop, const Device& device) {
    const bool here = drop.device == device.index && drop.netns == device.netns;
    // Sockets forget the interface of what they were given, not by which one it came.
    const bool was_here = drop.device == 0 && drop.arrived == device.index &&
                          (drop.netns == 0 || drop.netns == device.netns);
    if (device.peer != 0 && lost_between_veths(drop)) {
        return here                         ? Stage::kReceiveDriver
               : drop.device == device.peer ? Stage::kSendDriver
                                            : Stage::kCount;
    }
    if (!here && !was_here) {
        return Stage::kCount;
    }
    if (is_copy(drop)) {
        return Stage::kCopy;
    }
    return drop.arrived == device.index || just_received(drop) ? receiving(drop)
                                                               : sending(drop, device);
}

} // namespace weir::drops
