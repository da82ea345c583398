#include "verbs/drops_ledger.h"

#include <fmt/format.h>

#include "kernel/attach.h"
#include "kernel/device_counters.h"
#include "kernel/stack_counters.h"
#include "verbs/drops_sources.h"
#include "verbs/state.h"

namespace weir::verbs {
namespace {

using output::Align;
using output::Json;
using output::Table;

Result<drops::Device> find_device(const std::string& name, const Context& cx) {
    WEIR_TRY(const auto interface, kernel::find_interface(name));
    drops::Device device{.name = interface.name, .index = interface.index};
    WEIR_TRY(device.netns, kernel::network_namespace());
    WEIR_TRY(const auto link, kernel::link_counters(device.index));
    device.peer = interface.kind == "veth" ? link.peer : 0;
    WEIR_TRY(const auto qdisc, kernel::root_qdisc(device.index));
    device.qdisc = qdisc ? qdisc->kind : "";
    device.other_xdp_program = interface.xdp_program != 0;
    WEIR_TRY(const auto all, kernel::interfaces());
    for (const kernel::Interface& each : all) {
        device.names[each.index] = each.name;
    }
    if (!cx.pins.loaded()) {
        return device;
    }
    WEIR_TRY(const auto session, open_session(cx, kernel::Lock::Mode::kShared));
    WEIR_TRY(const auto attachments, kernel::attachments(session.node));
    for (const kernel::Attachment& each : attachments) {
        if (each.ifindex == device.index && each.at == HOOK_XDP && !each.missing) {
            device.weir_xdp = true;
            device.generic = each.mode == "generic";
            device.other_xdp_program = !each.others.empty();
        }
    }
    return device;
}

Result<drops::Losses> read_losses(trace::Session& session) {
    drops::Losses losses;
    WEIR_TRY(const auto totals, session.tracer().totals(false));
    for (const auto& [key, total] : totals) {
        const trace::Probe& probe = session.probes().at(key.probe);
        if (probe.point != 0) {
            add_frames(probe, key, total, losses);
            continue;
        }
        const std::string reason = reason_name(probe.fields[0], key.number[0]);
        const std::string function = session.symbols().function_at(key.number[1]);
        if (!reason.empty()) {
            losses.packets[{reason, function.empty() ? "-" : function,
                            static_cast<std::uint32_t>(key.number[2]),
                            static_cast<std::uint32_t>(key.number[3]),
                            static_cast<std::uint32_t>(key.number[4])}] += total.events;
        }
    }
    return losses;
}

// In the same order each time, so that what lies between two readings is as long for each counter.
Result<drops::Snapshot> take_snapshot(const drops::Device& device, trace::Session& session,
                                      const Context& cx) {
    drops::Snapshot now;
    WEIR_TRY(const auto link, kernel::link_counters(device.index));
    now.link = link.stats;
    WEIR_TRY(now.driver, kernel::driver_counters(device.name));
    WEIR_TRY(now.qdisc, kernel::root_qdisc(device.index));
    WEIR_TRY(now.softnet, kernel::softnet());
    WEIR_TRY(now.udp, kernel::udp_counters());
    WEIR_TRY(const auto weir, weir_drops(cx));
    if (weir) {
        now.weir.rules = weir->rules;
        for (const WeirDrops::Interface& each : weir->interfaces) {
            if (each.index == device.index) {
                now.weir.hooks = each.hooks;
            }
        }
    }
    WEIR_TRY(now.losses, read_losses(session));
    return now;
}

// --- what is shown ------------------------------------------------------------------------------

std::string figure(const std::optional<std::uint64_t>& number) {
    return number ? std::to_string(*number) : "-";
}

std::string text_of(const drops::Ledger& ledger) {
    Table stages({{""},
                  {"STAGE"},
                  {"IN", Align::kRight},
                  {"WENT ON", Align::kRight},
                  {"DROPPED", Align::kRight},
                  {"CAUSE"},
                  {"WHERE"},
                  {"SOURCE"}});
    bool sending = false, first = true;
    for (const drops::StageRow& row : ledger.stages) {
        const bool sends = drops::is_sending(row.stage);
        const char* direction = first ? "received" : sends && !sending ? "sent" : "";
        first = false;
        sending = sends;
        stages.row({direction, drops::name(row.stage), figure(row.in), figure(row.on),
                    std::to_string(row.dropped()), "", "", row.source});
        for (const drops::Loss& loss : row.losses) {
            stages.row({"", "", "", "", std::to_string(loss.packets), loss.cause,
                        output::one_line(loss.where), loss.source});
        }
    }
    Table checks({{"COUNTER"},
                  {"COUNTED", Align::kRight},
                  {"EXPLAINED", Align::kRight},
                  {"UNEXPLAINED", Align::kRight},
                  {"OF"}});
    for (const drops::Check& check : ledger.checks) {
        constexpr std::array kOf = {"the interface", "the network namespace", "the machine"};
        checks.row({check.counter, std::to_string(check.counted), std::to_string(check.explained),
                    std::to_string(check.unexplained()),
                    kOf.at(static_cast<std::size_t>(check.of))});
    }
    std::string text = stages.to_string() + "\n";
    if (!checks.empty()) {
        text += checks.to_string() + "\n";
    }
    for (const drops::Loss& copy : ledger.copies) {
        text += fmt::format("not lost: {} copies for packet sockets, {} in {}\n", copy.packets,
                            copy.cause, copy.where);
    }
    for (const kernel::Softnet& cpu : ledger.softnet) {
        text +=
            fmt::format("softnet, of the whole machine: CPU {} dropped {}\n", cpu.cpu, cpu.dropped);
    }
    return text + fmt::format("lost: {} with a cause, {} unexplained\n", ledger.lost(),
                              ledger.unexplained());
}

Json losses_json(const std::vector<drops::Loss>& losses) {
    Json list = Json::array();
    for (const drops::Loss& loss : losses) {
        list.push_back({{"cause", loss.cause},
                        {"where", loss.where},
                        {"packets", loss.packets},
                        {"source", loss.source}});
    }
    return list;
}

Json json_of(const drops::Ledger& ledger) {
    Json stages = Json::array(), checks = Json::array();
    for (const drops::StageRow& row : ledger.stages) {
        Json json{{"direction", drops::is_sending(row.stage) ? "sent" : "received"},
                  {"stage", drops::name(row.stage)}};
        if (row.in) {
            json["in"] = *row.in;
        }
        if (row.on) {
            json["on"] = *row.on;
        }
        json["dropped"] = row.dropped();
        json["source"] = row.source;
        json["causes"] = losses_json(row.losses);
        stages.push_back(std::move(json));
    }
    for (const drops::Check& check : ledger.checks) {
        constexpr std::array kOf = {"interface", "namespace", "machine"};
        checks.push_back({{"counter", check.counter},
                          {"of", kOf.at(static_cast<std::size_t>(check.of))},
                          {"counted", check.counted},
                          {"explained", check.explained},
                          {"unexplained", check.unexplained()}});
    }
    Json softnet = Json::array();
    for (const kernel::Softnet& cpu : ledger.softnet) {
        softnet.push_back({{"cpu", cpu.cpu}, {"dropped", cpu.dropped}});
    }
    return {{"stages", std::move(stages)},
            {"checks", std::move(checks)},
            {"copies", losses_json(ledger.copies)},
            {"softnet", std::move(softnet)},
            {"lost", ledger.lost()},
            {"unexplained", ledger.unexplained()}};
}

void show_drop_ledger(Context& cx, const drops::Device& device, double seconds,
                      const drops::Ledger& ledger) {
    cx.out.text(fmt::format("{}, {:.1f} s\n\n{}\n", device.name, seconds, text_of(ledger)));
    Json json{{"device", device.name}, {"seconds", seconds}};
    json.update(json_of(ledger));
    cx.out.line({{"ledger", std::move(json)}});
}

} // namespace

Result<> run_drop_ledger(const po::variables_map& options, const std::string& name, Context& cx) {
    for (const char* other : {"each", "by", "where", "stack", "number"}) {
        if (options.count(other) > 0) {
            return usage(fmt::format("--ledger counts every packet of the interface: --{} has no "
                                     "meaning beside it",
                                     other));
        }
    }
    WEIR_TRY(const TraceWish wish, parse_limits(options));
    WEIR_TRY(const double interval, parse_interval(options));
    WEIR_TRY(const auto device, find_device(name, cx));
    WEIR_TRY(auto steps, trace::parse_steps({{.source = "raw:kfree_skb",
                                              .values = "reason, location, skb->dev->ifindex, "
                                                        "skb->skb_iif, netns",
                                              .sink = trace::Sink::kCount}}));
    WEIR_TRY(auto frames, frame_steps(true));
    std::move(frames.begin(), frames.end(), std::back_inserter(steps));
    drops::Snapshot before;
    const auto take = [&](trace::Session& session) -> Result<> {
        session.symbols().function_at(
            0); // reads them, which takes time, before the interval begins
        WEIR_TRY(before, take_snapshot(device, session, cx));
        return {};
    };
    const auto round = [&](trace::Session& session, double seconds) -> Result<> {
        WEIR_TRY(auto after, take_snapshot(device, session, cx));
        show_drop_ledger(cx, device, seconds, drops::balance(before, after, device));
        before = std::move(after);
        return {};
    };
    return run_rounds(cx, steps, wish, {.totals = kTotals}, {.interval = interval}, round, take);
}

} // namespace weir::verbs
