#include "flow/hooks.h"

#include <fmt/format.h>

#include <array>

namespace weir::flow {
namespace {

// Functions that both 6.1 and newer kernels have, with the packet among their arguments; on a
// kernel that lets no function be probed, the tracepoints among them still tell how it came, left
// or ended.
const std::vector<Hook>& stack_hooks() {
    static const std::string kOut = "net->ns.inum"; // its device is still the one that it came by
    static const std::vector<Hook> all = {
        {Stage::kReceive, "raw:netif_rx", "netif_rx"},
        {Stage::kReceive, "raw:napi_gro_receive_entry", "napi_gro_receive"},
        {Stage::kReceive, "raw:netif_receive_skb", "netif_receive_skb"},
        {Stage::kTc, "ret:tcf_classify", "tcf_classify", "retval"},
        {Stage::kIp, "fn:ip_rcv", "ip_rcv"},
        {Stage::kIp, "fn:ipv6_rcv", "ipv6_rcv"},
        {Stage::kNetfilter, "fn:nf_hook_slow", "nf_hook_slow", "state->hook, state->pf"},
        {Stage::kRoute, "ret:ip_route_input_noref", "ip_route_input", "retval"},
        {Stage::kForward, "fn:ip_forward", "ip_forward"},
        {Stage::kForward, "fn:ip6_forward", "ip6_forward"},
        {Stage::kLocal, "fn:ip_local_deliver", "ip_local_deliver"},
        {Stage::kLocal, "fn:ip6_input", "ip6_input"},
        {Stage::kTransport, "fn:icmp_rcv", "icmp_rcv"},
        {Stage::kTransport, "fn:icmpv6_rcv", "icmpv6_rcv"},
        {Stage::kTransport, "fn:tcp_v4_rcv", "tcp_v4_rcv"},
        {Stage::kTransport, "fn:tcp_v6_rcv", "tcp_v6_rcv"},
        {Stage::kTransport, "fn:udp_rcv", "udp_rcv"},
        {Stage::kTransport, "fn:udpv6_rcv", "udpv6_rcv"},
        {Stage::kSocket, "fn:__udp_enqueue_schedule_skb", "__udp_enqueue_schedule_skb"},
        {Stage::kSocket, "fn:tcp_rcv_established", "tcp_rcv_established"},
        {Stage::kSocket, "fn:tcp_rcv_state_process", "tcp_rcv_state_process"},
        {Stage::kSocket, "fn:tcp_conn_request", "tcp_conn_request"},
        {Stage::kProcess, "raw:skb_copy_datagram_iovec", "skb_copy_datagram_iovec"},
        {Stage::kOutput, "fn:ip_output", "ip_output", "", kOut},
        {Stage::kOutput, "fn:ip6_output", "ip6_output", "", kOut},
        {Stage::kQueue, "raw:net_dev_queue", "dev_queue_xmit"},
        {Stage::kDriver, "raw:net_dev_start_xmit", "ndo_start_xmit"},
        {.stage = Stage::kDropped,
         .source = "raw:kfree_skb",
         .what = "kfree_skb",
         .notes = "reason, location",
         .ends = true},
        {.stage = Stage::kFreed, .source = "raw:consume_skb", .what = "consume_skb", .ends = true},
    };
    return all;
}

// A frame has the address of its struct xdp_buff only while a program runs on it.
std::vector<Hook> all_hooks() {
    const std::string octets = "xdp->data_end - xdp->data";
    std::vector<Hook> all = stack_hooks();
    all.push_back({.stage = Stage::kXdp, .source = "xdp:*@entry", .what = "", .length = octets});
    all.push_back({.stage = Stage::kXdp,
                   .source = "xdp:*@exit",
                   .what = "",
                   .notes = "retval",
                   .length = octets,
                   .ends = true});
    return all;
}

} // namespace

const char* name(Stage stage) {
    constexpr std::array kNames = {
        "xdp",       "receive", "tc",      "ip",     "netfilter", "route",  "forward", "local",
        "transport", "socket",  "process", "output", "queue",     "driver", "dropped", "freed"};
    return kNames.at(static_cast<std::size_t>(stage));
}

const std::vector<Hook>& hooks(bool programs) {
    static const std::vector<Hook> all = all_hooks();
    return programs ? all : stack_hooks();
}

Result<std::vector<trace::Step>> steps(const std::vector<Hook>& hooks) {
    constexpr const char* kTuple =
        "packet, packet_saddr, packet_daddr, packet_sport, packet_dport, packet_protocol";
    std::vector<trace::StepWords> words;
    for (const Hook& hook : hooks) {
        words.push_back(
            {.source = hook.source,
             .follows = "packet",
             .ends = hook.ends,
             .values = fmt::format("{}, {}, {}, packet_dev{}{}", kTuple, hook.length, hook.netns,
                                   hook.notes.empty() ? "" : ", ", hook.notes),
             .sink = trace::Sink::kEvent});
    }
    return trace::parse_steps(words);
}

} // namespace weir::flow
