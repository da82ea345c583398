#include "drops/ledger.h"

#include <algorithm>
#include <cctype>
#include <numeric>

#include "drops/difference.h"
#include "model/config.h"

namespace weir::drops {
namespace {

constexpr const char* kEvents = "skb:kfree_skb";
constexpr const char* kLink = "ip -s link";
constexpr const char* kWeir = "Weir's counters";

std::uint64_t sum(const std::vector<Loss>& losses) {
    return std::accumulate(losses.begin(), losses.end(), std::uint64_t{0},
                           [](std::uint64_t all, const Loss& each) { return all + each.packets; });
}

std::uint64_t less(std::uint64_t from, std::uint64_t what) {
    return from > what ? from - what : 0;
}

bool has_digit(const std::string& name) {
    return std::any_of(name.begin(), name.end(), [](unsigned char c) { return std::isdigit(c); });
}

// Drivers name it as they like: rx_queue_0_xdp_drops (veth, virtio_net), rx_xdp_drop (ice, mlx5).
// Of those that give a sum beside a counter for each queue, the sum.
std::uint64_t xdp_drops(const kernel::NamedCounters& driver) {
    std::uint64_t of_queues = 0;
    for (const auto& [name, value] : driver) {
        if (name.find("xdp_drop") == std::string::npos || name.find("tx_") == 0) {
            continue;
        }
        if (!has_digit(name)) {
            return value;
        }
        of_queues += value;
    }
    return of_queues;
}

// Works a ledger out of what has grown between two snapshots.
class Balance {
public:
    Balance(const Snapshot& before, const Snapshot& grown, const Device& device)
        : before_(before), now_(grown), device_(device) {}

    Ledger ledger() {
        link_losses();
        packet_losses();
        frame_losses();
        weir_losses();
        check_receiving();
        check_sending();
        check_others();
        add_stages();
        std::erase_if(ledger_.checks,
                      [](const Check& each) { return each.counted == 0 && each.explained == 0; });
        ledger_.copies = std::move(of(Stage::kCopy));
        return std::move(ledger_);
    }

private:
    std::vector<Loss>& of(Stage stage) { return losses_[static_cast<std::size_t>(stage)]; }
    void lose(Stage stage, Loss loss) {
        if (loss.packets > 0) {
            of(stage).push_back(std::move(loss));
        }
    }
    void check(std::string counter, std::uint64_t counted, std::uint64_t explained,
               Check::Of of = Check::Of::kInterface) {
        ledger_.checks.push_back({std::move(counter), counted, explained, of});
    }
    const hook_count& hook_of(hook at) const { return now_.weir.hooks[at]; }
    bool weir_sees_all_frames() const {
        return device_.weir_xdp && !device_.generic && !device_.other_xdp_program;
    }

    // Counters that are a cause themselves. include/uapi/linux/if_link.h: rx_errors and tx_errors
    // count the others too; rx_missed_errors it does not.
    void link_losses() {
        const rtnl_link_stats64& link = now_.link;
        const auto named = [&](Stage stage, const char* name, std::uint64_t packets) {
            lose(stage, {name, device_.name, packets, kLink});
        };
        const std::uint64_t receiving = link.rx_length_errors + link.rx_over_errors +
                                        link.rx_crc_errors + link.rx_frame_errors +
                                        link.rx_fifo_errors;
        named(Stage::kReceiveDriver, "rx_missed_errors", link.rx_missed_errors);
        named(Stage::kReceiveDriver, "rx_length_errors", link.rx_length_errors);
        named(Stage::kReceiveDriver, "rx_over_errors", link.rx_over_errors);
        named(Stage::kReceiveDriver, "rx_crc_errors", link.rx_crc_errors);
        named(Stage::kReceiveDriver, "rx_frame_errors", link.rx_frame_errors);
        named(Stage::kReceiveDriver, "rx_fifo_errors", link.rx_fifo_errors);
        named(Stage::kReceiveDriver, "rx_errors", less(link.rx_errors, receiving));
        const std::uint64_t sending = link.tx_aborted_errors + link.tx_carrier_errors +
                                      link.tx_fifo_errors + link.tx_window_errors;
        named(Stage::kSendDriver, "tx_aborted_errors", link.tx_aborted_errors);
        named(Stage::kSendDriver, "tx_carrier_errors", link.tx_carrier_errors);
        named(Stage::kSendDriver, "tx_fifo_errors", link.tx_fifo_errors);
        named(Stage::kSendDriver, "tx_window_errors", link.tx_window_errors);
        named(Stage::kSendDriver, "tx_errors", less(link.tx_errors, sending));
    }

    void packet_losses() {
        std::vector<Loss> sent, met; // between veths: events at the other end, and here
        for (const auto& [drop, packets] : now_.losses.packets) {
            const Stage stage = stage_of(drop, device_);
            Loss loss{drop.reason, drop.function, packets, kEvents};
            if (stage == Stage::kCount) {
                continue;
            }
            if (device_.peer != 0 && lost_between_veths(drop)) {
                (stage == Stage::kSendDriver ? sent : met).push_back(std::move(loss));
                continue;
            }
            lose(stage, std::move(loss));
            events_[static_cast<std::size_t>(stage)] += packets;
            // What the core counts in rx_dropped, whichever stage it is.
            if (drop.device == device_.index && drop.netns == device_.netns) {
                if (drop.reason == "UNHANDLED_PROTO") {
                    unhandled_ += packets;
                } else if (drop.reason == "OTHERHOST") {
                    other_host_ += packets;
                }
            }
        }
        losses_between_veths(sent, met);
    }

    // Those that this end has sent are in its tx_dropped; the others came from the other end.
    void losses_between_veths(std::vector<Loss>& sent, std::vector<Loss>& met) {
        std::uint64_t left = now_.link.tx_dropped;
        for (std::vector<Loss>* each : {&sent, &met}) {
            for (Loss& loss : *each) {
                Loss ours = loss;
                ours.packets = std::min(loss.packets, left);
                left -= ours.packets;
                loss.packets -= ours.packets;
                events_[static_cast<std::size_t>(Stage::kSendDriver)] += ours.packets;
                lose(Stage::kSendDriver, std::move(ours));
            }
        }
        for (Loss& loss : met) {
            lose(Stage::kReceiveDriver, std::move(loss));
        }
    }

    void frame_losses() {
        for (const auto& [loss, packets] : now_.losses.frames) {
            if (loss.netns != device_.netns) {
                continue;
            }
            const auto name = device_.names.find(loss.to);
            std::string where = loss.tracepoint;
            if (loss.to != 0) {
                where +=
                    " to " + (name == device_.names.end() ? "interface " + std::to_string(loss.to)
                                                          : name->second);
            }
            if (!loss.program.empty()) {
                where += " by " + loss.program;
            }
            const std::string source = "xdp:" + loss.tracepoint;
            if (loss.from == device_.index) {
                const bool thrown = loss.tracepoint == kException;
                lose(thrown ? Stage::kXdp : Stage::kRedirect, {loss.error, where, packets, source});
                (thrown                              ? exceptions_
                 : loss.tracepoint == kRedirectError ? redirect_errors_
                                                     : not_taken_) += packets;
            } else if (loss.to == device_.index && loss.tracepoint == kDevmap) {
                sent_here_ += packets; // lost, and told, where they came in
            }
        }
    }

    // Weir's drops in TC, and in XDP where a driver's frames are packets, are freed as any packet
    // is: the events of the stage are less by these.
    void weir_losses() {
        const auto dropped = [&](hook at) { return hook_of(at).verdict[VERDICT_DROP].packets; };
        freed_in_xdp_ = take_off(Stage::kXdp, dropped(HOOK_XDP) + exceptions_);
        take_off(Stage::kTcIngress, dropped(HOOK_TC_INGRESS));
        take_off(Stage::kTcEgress, dropped(HOOK_TC_EGRESS));
        weir_losses(Stage::kXdp, HOOK_XDP);
        weir_losses(Stage::kTcIngress, HOOK_TC_INGRESS);
        weir_losses(Stage::kTcEgress, HOOK_TC_EGRESS);
    }
    // Answers how many events are left.
    std::uint64_t take_off(Stage stage, std::uint64_t packets) {
        std::uint64_t left = 0;
        for (Loss& event : of(stage)) {
            const std::uint64_t taken =
                event.source == kEvents ? std::min(event.packets, packets) : 0;
            event.packets -= taken;
            packets -= taken;
            left += event.source == kEvents ? event.packets : 0;
        }
        std::erase_if(of(stage), [](const Loss& each) { return each.packets == 0; });
        return left;
    }
    void weir_losses(Stage stage, hook at) {
        for (int r = 0; r < REASON_COUNT; r++) {
            if (r != REASON_RULE) {
                lose(stage, {std::string(model::name(static_cast<reason>(r))), "weir",
                             hook_of(at).dropped[r].packets, kWeir});
            }
        }
        for (Loss& loss : rule_losses(now_.weir, at)) {
            lose(stage, std::move(loss));
        }
        const hook_count& book = hook_of(at);
        std::uint64_t out = 0, reasons = 0;
        for (const traffic& verdict : book.verdict) {
            out += verdict.packets;
        }
        for (const traffic& dropped : book.dropped) {
            reasons += dropped.packets;
        }
        constexpr std::array kNames = {"xdp", "tc-ingress", "tc-egress"};
        check(std::string("Weir received, ") + kNames.at(at), book.received.packets, out);
        check(std::string("Weir dropped, ") + kNames.at(at), book.verdict[VERDICT_DROP].packets,
              reasons);
    }

    void check_receiving() {
        const hook_count& xdp = hook_of(HOOK_XDP);
        if (weir_sees_all_frames()) {
            check("rx_packets, seen by XDP", now_.link.rx_packets, xdp.received.packets);
            const auto left = now_.losses.redirected.find({device_.netns, device_.index});
            check("XDP redirected, left", xdp.verdict[VERDICT_REDIRECT].packets,
                  (left == now_.losses.redirected.end() ? 0 : left->second) + redirect_errors_ +
                      not_taken_);
        }
        const std::uint64_t by_driver = xdp_drops(now_.driver);
        const std::uint64_t known =
            (device_.generic ? 0 : xdp.verdict[VERDICT_DROP].packets) + exceptions_;
        // What else was lost there: some drivers count it as an XDP drop, others in rx_dropped.
        const std::uint64_t rest = freed_in_xdp_ + redirect_errors_;
        const std::uint64_t as_xdp = std::min(rest, less(by_driver, known));
        if (device_.other_xdp_program) {
            lose(Stage::kXdp, {"XDP_DROP", "another XDP program", less(by_driver, known + as_xdp),
                               "ethtool -S"});
        } else {
            check("xdp_drops of the driver", by_driver, known + as_xdp);
        }
        check("rx_dropped, rx_nohandler", now_.link.rx_dropped + now_.link.rx_nohandler,
              unhandled_ + events(Stage::kBacklog) + events(Stage::kReceiveDriver) + rest - as_xdp);
        check("rx_otherhost_dropped", now_.link.rx_otherhost_dropped, other_host_);
    }

    void check_sending() {
        if (now_.qdisc) {
            check("drops of qdisc " + now_.qdisc->kind, now_.qdisc->drops, events(Stage::kQdisc));
        }
        check("tx_dropped", now_.link.tx_dropped, events(Stage::kSendDriver) + sent_here_);
    }

    // Counters of more than this interface, beside the events of as much.
    void check_others() {
        std::uint64_t closed = 0, full = 0, backlog = 0;
        for (const auto& [drop, packets] : now_.losses.packets) {
            const bool udp = drop.function.find("udp") != std::string::npos &&
                             (drop.netns == device_.netns || drop.netns == 0);
            closed += udp && drop.reason == "NO_SOCKET" ? packets : 0;
            full += udp && drop.reason == "SOCKET_RCVBUFF" ? packets : 0;
            backlog += drop.reason == "CPU_BACKLOG" ? packets : 0;
        }
        check("UDP NoPorts", now_.udp.no_ports, closed, Check::Of::kNamespace);
        check("UDP RcvbufErrors", now_.udp.full_buffers, full, Check::Of::kNamespace);
        std::uint64_t dropped = 0;
        for (const kernel::Softnet& cpu : now_.softnet) {
            dropped += cpu.dropped;
        }
        check("softnet_stat dropped", dropped, backlog, Check::Of::kMachine);
        ledger_.softnet = now_.softnet;
        std::erase_if(ledger_.softnet, [](const kernel::Softnet& cpu) { return cpu.dropped == 0; });
    }

    std::uint64_t events(Stage stage) const { return events_[static_cast<std::size_t>(stage)]; }

    void row(Stage stage, std::optional<std::uint64_t> in, std::optional<std::uint64_t> on,
             const char* source) {
        ledger_.stages.push_back({stage, in, on, source, std::move(of(stage))});
    }

    void add_stages() {
        const hook_count& xdp = hook_of(HOOK_XDP);
        std::uint64_t here =
            std::max(now_.link.rx_packets, weir_sees_all_frames() ? xdp.received.packets : 0);
        row(Stage::kReceiveDriver, here + sum(of(Stage::kReceiveDriver)), here, kLink);
        if (device_.weir_xdp) {
            const std::uint64_t dropped = xdp.verdict[VERDICT_DROP].packets;
            const std::uint64_t away =
                xdp.verdict[VERDICT_SEND].packets + xdp.verdict[VERDICT_REDIRECT].packets;
            here = xdp.verdict[VERDICT_PASS].packets;
            row(Stage::kXdp, xdp.received.packets, xdp.received.packets - dropped, kWeir);
            if (away > 0) {
                row(Stage::kRedirect, away, less(away, sum(of(Stage::kRedirect))), kWeir);
            }
        }
        for (const Stage stage : {Stage::kXdp, Stage::kRedirect, Stage::kBacklog, Stage::kTcIngress,
                                  Stage::kStack, Stage::kSocket}) {
            const std::uint64_t dropped = sum(of(stage));
            // A veth counts what the backlog took, other drivers what they gave.
            const bool counted_behind = stage == Stage::kBacklog && device_.peer != 0;
            const std::uint64_t in = counted_behind ? here + dropped : here;
            here = less(in, dropped);
            if (!of(stage).empty() || stage == Stage::kStack) {
                row(stage, in, here, "");
            }
        }
        add_sending();
    }

    // What went into a stage is told by the next one.
    void add_sending() {
        std::vector<StageRow> upwards;
        std::uint64_t on = now_.link.tx_packets;
        std::uint64_t in = on + sum(of(Stage::kSendDriver));
        upwards.push_back({Stage::kSendDriver, in, on, kLink, std::move(of(Stage::kSendDriver))});
        if (now_.qdisc) {
            const auto more = static_cast<std::int64_t>(now_.qdisc->queued) -
                              static_cast<std::int64_t>(before_.qdisc ? before_.qdisc->queued : 0);
            on = now_.qdisc->packets;
            in = static_cast<std::uint64_t>(std::max<std::int64_t>(
                0, static_cast<std::int64_t>(on + now_.qdisc->drops) + more));
            upwards.push_back({Stage::kQdisc, in, on, "tc -s qdisc", std::move(of(Stage::kQdisc))});
        }
        for (const Stage stage : {Stage::kQdisc, Stage::kTcEgress, Stage::kSendStack}) {
            if (!of(stage).empty()) {
                const std::uint64_t into = in + sum(of(stage));
                upwards.push_back({stage, into, in, "", std::move(of(stage))});
                in = into;
            }
        }
        ledger_.stages.insert(ledger_.stages.end(), upwards.rbegin(), upwards.rend());
    }

    const Snapshot& before_;
    const Snapshot& now_;
    const Device& device_;
    std::array<std::vector<Loss>, static_cast<std::size_t>(Stage::kCount)> losses_ = {};
    std::array<std::uint64_t, static_cast<std::size_t>(Stage::kCount)> events_ = {};
    std::uint64_t unhandled_ = 0, other_host_ = 0, freed_in_xdp_ = 0;
    std::uint64_t exceptions_ = 0, redirect_errors_ = 0, not_taken_ = 0, sent_here_ = 0;
    Ledger ledger_ = {};
};

} // namespace

std::uint64_t StageRow::dropped() const {
    return sum(losses);
}

std::uint64_t Ledger::lost() const {
    std::uint64_t all = 0;
    for (const StageRow& row : stages) {
        all += row.dropped();
    }
    return all;
}

std::uint64_t Ledger::unexplained() const {
    std::uint64_t all = 0;
    for (const Check& each : checks) {
        all += each.of == Check::Of::kInterface ? each.unexplained() : 0;
    }
    return all;
}

std::vector<Loss> rule_losses(const WeirBooks& grown, hook at) {
    const std::uint64_t dropped = grown.hooks[at].dropped[REASON_RULE].packets;
    std::vector<Loss> losses;
    for (const RuleDrops& rule : grown.rules) {
        if (rule.egress == (at == HOOK_TC_EGRESS) && rule.packets > 0) {
            losses.push_back(
                {"rule " + std::to_string(rule.handle), rule.text, rule.packets, kWeir});
        }
    }
    // Rules count for all interfaces: if others dropped by them too, only the sum is this one's.
    if (sum(losses) != dropped) {
        losses.clear();
    }
    if (losses.empty() && dropped > 0) {
        losses.push_back({"rule", "rules of more than this interface", dropped, kWeir});
    }
    return losses;
}

Ledger balance(const Snapshot& before, const Snapshot& after, const Device& device) {
    return Balance(before, grown(before, after), device).ledger();
}

} // namespace weir::drops
