#include "presets/all.h"

// How long packets are on their way through this machine's stack. A packet is known by the address
// of its buffer, which is used again for another packet once this one is freed: what waits is
// forgotten then.
namespace weir::presets {
namespace {

trace::StepWords forget(const char* tracepoint) {
    return {.source = tracepoint, .closes = "skb", .chosen = false};
}

trace::StepWords remember(const char* tracepoint, bool chosen) {
    return {.source = tracepoint, .chosen = chosen, .values = "skb", .sink = trace::Sink::kOpen};
}

} // namespace

// The tracepoint fires where a process copies the packet; but short datagrams are copied where
// there is none: those are seen right behind.
Result<Preset> rxlat() {
    Preset preset{.name = "rxlat"};
    preset.by = {{"ifindex", "skb->skb_iif"}, {"dev", "skb->skb_iif"}};
    const auto read = [](const char* source) {
        return trace::StepWords{.source = source, .closes = "skb", .sink = trace::Sink::kHistogram};
    };
    WEIR_TRY(preset.steps,
             trace::parse_steps({remember("raw:netif_receive_skb", false),
                                 read("raw:skb_copy_datagram_iovec"), read("fn:skb_consume_udp"),
                                 forget("raw:kfree_skb"), forget("raw:consume_skb")}));
    return preset;
}

Result<Preset> txlat() {
    Preset preset{.name = "txlat"};
    preset.by = {
        {"pid", "saved_pid"}, {"tid", "saved_tid"}, {"comm", "saved_comm"}, {"dev", "dev->name"}};
    WEIR_TRY(preset.steps, trace::parse_steps({remember("raw:net_dev_queue", true),
                                               {.source = "raw:net_dev_start_xmit",
                                                .closes = "skb",
                                                .chosen = false,
                                                .sink = trace::Sink::kHistogram},
                                               forget("raw:kfree_skb"),
                                               forget("raw:consume_skb")}));
    return preset;
}

} // namespace weir::presets
