#include "flow/hooks.h"

#include <array>

namespace weir::flow {

const char* name(Stage stage) {
    constexpr std::array kNames = {
        "xdp",       "receive", "tc",      "ip",     "netfilter", "route",  "forward", "local",
        "transport", "socket",  "process", "output", "queue",     "driver", "dropped", "freed"};
    return kNames.at(static_cast<std::size_t>(stage));
}

// Functions that both 6.1 and newer kernels have, with the packet among their arguments; on a
// kernel that lets no function be probed, the tracepoints among them still tell how it came, left
// or ended.
const std::vector<Hook>& hooks() {
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
        {Stage::kOutput, "fn:ip_output", "ip_output"},
        {Stage::kOutput, "fn:ip6_output", "ip6_output"},
        {Stage::kQueue, "raw:net_dev_queue", "dev_queue_xmit"},
        {Stage::kDriver, "raw:net_dev_start_xmit", "ndo_start_xmit"},
        {Stage::kDropped, "raw:kfree_skb", "kfree_skb", "reason, location"},
        {Stage::kFreed, "raw:consume_skb", "consume_skb"},
    };
    return all;
}

Result<std::vector<trace::Step>> steps() {
    constexpr const char* kFetched = "packet, packet_saddr, packet_daddr, packet_sport, "
                                     "packet_dport, packet_protocol, skb->len, "
                                     "packet_netns, packet_dev";
    std::vector<trace::StepWords> words;
    for (const Hook& hook : hooks()) {
        words.push_back(
            {.source = hook.source,
             .follows = hook.packet,
             .ends = hook.stage == Stage::kDropped || hook.stage == Stage::kFreed,
             .values = std::string(kFetched) + (hook.notes.empty() ? "" : ", " + hook.notes),
             .sink = trace::Sink::kEvent});
    }
    return trace::parse_steps(words);
}

} // namespace weir::flow
