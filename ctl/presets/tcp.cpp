#include "presets/tcp.h"

#include "kernel/tracefs.h"
#include "presets/all.h"

namespace weir::presets {

using output::Align;

std::string tcp_state(std::uint64_t number) {
    constexpr std::array kNames = {
        "-",     "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2",   "TIME_WAIT",
        "CLOSE", "CLOSE_WAIT",  "LAST_ACK", "LISTEN",   "CLOSING",   "NEW_SYN_RECV"};
    return number < kNames.size() ? kNames[number] : std::to_string(number);
}

std::uint64_t number(const Cell& cell) {
    return cell.value.get<std::uint64_t>();
}

std::vector<View::Column> flow_columns() {
    constexpr int kAddress = 15, kPort = 5;
    return {{"SADDR", "saddr", Align::kLeft, kAddress},
            {"SPORT", "sport", Align::kRight, kPort},
            {"DADDR", "daddr", Align::kLeft, kAddress},
            {"DPORT", "dport", Align::kRight, kPort}};
}

namespace {

constexpr int kStateWidth = 12, kNumberWidth = 8;
constexpr const char* kFlow = "saddr, sport, daddr, dport";

std::vector<Cell> flow_cells(const std::vector<Cell>& values) {
    return {values.begin(), values.begin() + 4};
}

// --- retransmissions
// ------------------------------------------------------------------------------

std::string congestion(std::uint64_t number) { // enum tcp_ca_state of include/uapi/linux/tcp.h
    constexpr std::array kNames = {"open", "disorder", "CWR", "recovery", "loss"};
    return number < kNames.size() ? kNames[number] : std::to_string(number);
}

std::vector<Cell> retrans_row(const Counted& event) {
    enum { kState = 4, kCongestion, kTimeouts, kWindow, kOctets };
    std::vector<Cell> cells = flow_cells(event.keys);
    cells.push_back(cell(tcp_state(number(event.keys[kState]))));
    cells.push_back(cell(congestion(number(event.keys[kCongestion]))));
    for (const auto each : {kTimeouts, kWindow, kOctets}) {
        cells.push_back(event.keys[each]);
    }
    return cells;
}

} // namespace

std::vector<trace::StepWords> sent_again() {
    return {{.source = "raw:tcp_retransmit_skb", .packet = "sk", .values = kFlow},
            {.source = "raw:tcp_retransmit_synack", .packet = "req", .values = kFlow}};
}

// What the sender knows when it sends again: in "loss" its timer ran out, in "recovery" others were
// acknowledged, in "open" it probes the tail (RFC 8985, 7).
Result<Preset> retrans() {
    Preset preset{.name = "retrans"};
    auto words = sent_again();
    words[0].values += ", sk->__sk_common.skc_state, "
                       "((struct inet_connection_sock *)sk)->icsk_ca_state, "
                       "((struct inet_connection_sock *)sk)->icsk_retransmits, "
                       "((struct tcp_sock *)sk)->snd_cwnd, skb->len";
    words[1].values += ", 3, 4, req->num_timeout, 1, 0";
    for (trace::StepWords& each : words) {
        each.sink = trace::Sink::kEvent;
    }
    WEIR_TRY(preset.steps, trace::parse_steps(words));
    preset.view = {.columns = flow_columns(), .row = retrans_row};
    for (const View::Column& each :
         {View::Column{"STATE", "state", Align::kLeft, kStateWidth},
          View::Column{"CONGESTION", "congestion", Align::kLeft, 10},
          View::Column{"TIMEOUTS", "timeouts", Align::kRight, kNumberWidth},
          View::Column{"CWND", "cwnd", Align::kRight, kNumberWidth},
          View::Column{"OCTETS", "octets", Align::kRight, kNumberWidth}}) {
        preset.view.columns.push_back(each);
    }
    return preset;
}

// --- resets
// -----------------------------------------------------------------------------------------

namespace {

// direction, saddr, sport, daddr, dport, state[, reason]
std::vector<Cell> resets_row(const Counted& event) {
    enum { kReceived, kFlow, kState = 5, kReason };
    const bool received = number(event.keys[kReceived]) == 1;
    std::vector<Cell> cells{cell(received ? "received" : "sent")};
    cells.insert(cells.end(), event.keys.begin() + kFlow, event.keys.begin() + kState);
    cells.push_back(cell(tcp_state(number(event.keys[kState]))));
    cells.push_back(event.keys.size() > kReason ? event.keys[kReason] : cell("-"));
    return cells;
}

// From 6.10 on the tracepoint has a reason, and fires also where no socket is.
Result<bool> tells_reasons() {
    WEIR_CHECK(kernel::reach_tracefs());
    WEIR_TRY(const auto found, kernel::find_tracepoints("tcp", "tcp_send_reset"));
    if (found.empty()) {
        return false;
    }
    WEIR_TRY(const auto fields, kernel::fields_of(found.front()));
    return std::any_of(fields.begin(), fields.end(),
                       [](const auto& each) { return each.name == "reason"; });
}

// What a packet is answered with goes the other way.
trace::StepWords answer(const char* source, const char* where, const char* also) {
    return {.source = source,
            .packet = "skb",
            .where = where,
            .also = also,
            .values = "daddr, dport, saddr, sport"};
}

// Of its own accord: by close(2) with SO_LINGER 0, or with data that nobody read. The port has been
// given back: only inet_sock still knows it.
trace::StepWords abort(const char* where, const char* also) {
    return {.source = "raw:tcp_send_reset",
            .packet = "sk",
            .where = where,
            .also = also,
            .values = "saddr, ((struct inet_sock *)sk)->inet_sport, daddr, dport"};
}

} // namespace

Result<std::vector<trace::StepWords>> sent_resets() {
    WEIR_TRY(const bool reasons, tells_reasons());
    // A reset that is sent unasked has no packet, or (before 6.9) one without an IP header yet.
    std::vector<trace::StepWords> words{
        answer("raw:tcp_send_reset", "skb != 0", "skb->network_header != 0"),
        abort("skb == 0", nullptr), abort("skb != 0", "skb->network_header == 0")};
    if (!reasons) { // a reset is never answered with one
        const char* answers = "!((struct tcphdr *)(skb->head + skb->transport_header))->rst";
        words.push_back(answer("fn:tcp_v4_send_reset", "sk == 0", answers));
        words.push_back(answer("fn:tcp_v6_send_reset", "sk == 0", answers));
    }
    return words;
}

Result<Preset> resets() {
    Preset preset{.name = "resets"};
    const std::string state = ", sk->__sk_common.skc_state";
    WEIR_TRY(const bool reasons, tells_reasons());
    WEIR_TRY(auto words, sent_resets());
    for (trace::StepWords& each : words) {
        each.values = "0, " + each.values +
                      (each.packet == std::string_view("sk") ? state : ", 0") +
                      (reasons ? ", reason" : "");
    }
    words.push_back({.source = "raw:tcp_receive_reset",
                     .packet = "sk",
                     .values = "1, daddr, dport, saddr, sport" + state});
    for (trace::StepWords& each : words) {
        each.sink = trace::Sink::kEvent;
    }
    WEIR_TRY(preset.steps, trace::parse_steps(words));
    preset.view = {.columns = {{"RESET", "reset", Align::kLeft, 8}}, .row = resets_row};
    for (const View::Column& each : flow_columns()) {
        preset.view.columns.push_back(each);
    }
    preset.view.columns.push_back({"STATE", "state", Align::kLeft, kStateWidth});
    preset.view.columns.push_back({"REASON", "reason", Align::kLeft});
    return preset;
}

} // namespace weir::presets
