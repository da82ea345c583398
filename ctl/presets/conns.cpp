#include "presets/all.h"
#include "presets/tcp.h"

namespace weir::presets {
namespace {

using output::Align;

enum ConnKey { kConnProcess, kConnComm, kConnFlow, kConnSent = 6, kConnReceived, kConnDuration };
// What is known of the process at the end, by step.
enum ConnPlace {
    kConnActive,
    kConnPassive,
    kConnPassiveClosed,
    kConnActiveEnd,
    kConnClosedEnd,
    kConnPassiveEnd
};

std::vector<Cell> conns_row(const Counted& event) {
    std::vector<Cell> cells{event.keys[kConnProcess], event.keys[kConnComm]};
    if (event.places[kConnPassiveEnd].events > 0) {
        cells = {{"-", nullptr}, {"-", nullptr}};
    }
    const bool active = event.places[kConnActiveEnd].events > 0;
    cells.push_back(cell(active ? "active" : "passive"));
    cells.insert(cells.end(), event.keys.begin() + kConnFlow, event.keys.begin() + kConnSent);
    cells.push_back(event.keys[kConnSent]);
    cells.push_back(event.keys[kConnReceived]);
    cells.push_back(cell(static_cast<double>(number(event.keys[kConnDuration])) / kMillisecond, 3));
    return cells;
}

} // namespace

// After tcplife(8) of bcc. A connection begins at SYN_SENT, in the process that connects; or at
// SYN_RECV, where no process has it yet: there it is the one that ends it first, by close(2) or
// shutdown(2). A connection that comes in and is reset has none.
Result<Preset> conns() {
    Preset preset{.name = "conns"};
    constexpr const char* kChange = "raw:inet_sock_set_state"; // (sk, oldstate, newstate)
    constexpr std::uint16_t kActives = 0, kPassives = 1, kClosed = 2;
    // At the end the port has been given back: only inet_sock still knows it. What came in counts a
    // FIN as an octet (SOCK_DONE, bit 1: there was one).
    const auto end = [&](std::uint16_t space) {
        return trace::StepWords{
            .source = kChange,
            .closes = "sk",
            .closes_in = space,
            .process = "saved_pid",
            .packet = "sk",
            .values = "saved_pid, saved_comm, saddr, ((struct inet_sock *)sk)->inet_sport, "
                      "daddr, dport, "
                      "((struct tcp_sock *)sk)->bytes_sent - "
                      "((struct tcp_sock *)sk)->bytes_retrans, "
                      "((struct tcp_sock *)sk)->bytes_received - (sk->__sk_common.skc_flags >> 1 & "
                      "1), time - saved1",
            .sink = trace::Sink::kEvent};
    };
    const auto begin = [&](const char* where, std::uint16_t space) {
        return trace::StepWords{.source = kChange,
                                .chosen = false,
                                .where = "sk->sk_protocol == 6",
                                .also = where,
                                .values = "sk, time",
                                .sink = trace::Sink::kOpen,
                                .space = space};
    };
    std::vector<trace::StepWords> words{
        begin("newstate == 2", kActives),
        begin("newstate == 3 && oldstate != 2", kPassives),
        {.source = kChange,
         .closes = "sk * (newstate == 4 || newstate == 9)", // FIN_WAIT1, LAST_ACK
         .closes_in = kPassives,
         .chosen = false,
         .values = "sk, saved1",
         .sink = trace::Sink::kOpen,
         .space = kClosed,
         .own_process = true}};
    for (const std::uint16_t space : {kActives, kClosed, kPassives}) {
        words.push_back(end(space));
        words.back().closes = "sk * (newstate == 7)";
    }
    WEIR_TRY(preset.steps, trace::parse_steps(words));
    preset.view = {.columns = {{"PID", "pid", Align::kRight, 7},
                               {"COMM", "comm", Align::kLeft, 15},
                               {"OPEN", "open", Align::kLeft, 7}},
                   .row = conns_row};
    for (const View::Column& each : flow_columns()) {
        preset.view.columns.push_back(each);
    }
    preset.view.columns.push_back({"SENT", "sent", Align::kRight, 10});
    preset.view.columns.push_back({"RECEIVED", "received", Align::kRight, 10});
    preset.view.columns.push_back({"MS", "ms", Align::kRight, 10});
    return preset;
}

} // namespace weir::presets
