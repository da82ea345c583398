#include "verbs/drops_table.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fmt/format.h>
#include <sys/stat.h>

#include "drops/difference.h"
#include "kernel/netlink.h"
#include "kernel/stack_counters.h"
#include "verbs/hooks.h"

namespace weir::verbs {
namespace {

std::string octets_of(const trace_key& key) {
    return {reinterpret_cast<const char*>(&key), sizeof(key)};
}

// Of the probe itself, which is on the stack too.
bool is_tracers(const std::string& line) {
    return line.starts_with("bpf_prog_") || line.starts_with("bpf_trace_run");
}

// What the kernel freed because a program of that hook dropped it.
bool freed_for(hook at, const std::string& device, const DropRow& row) {
    if (row.device != device) {
        return false;
    }
    return at == HOOK_TC_INGRESS  ? row.reason == "TC_INGRESS"
           : at == HOOK_TC_EGRESS ? row.reason == "TC_EGRESS"
                                  : drops::freed_for_xdp(row.reason, row.function);
}

// Takes off the rows what the kernel freed for packets that another row tells of.
void take_off(hook at, const std::string& device, std::uint64_t packets,
              std::vector<DropRow>& rows) {
    for (DropRow& row : rows) {
        if (freed_for(at, device, row)) {
            const std::uint64_t taken = std::min(packets, row.packets);
            row.packets -= taken;
            packets -= taken;
        }
    }
}

} // namespace

Result<std::vector<trace::Step>> drop_steps(const DropWish& wish) {
    const std::string here =
        fmt::format("skb->dev->ifindex == {0} || skb->skb_iif == {0}", wish.index);
    WEIR_TRY(auto steps,
             trace::parse_steps({{.source = "raw:kfree_skb",
                                  .where = wish.device.empty() ? nullptr : here.c_str(),
                                  .values = std::string("reason, location, netns, dev") +
                                            (wish.stack ? ", stack" : ""),
                                  .sink = trace::Sink::kCount}}));
    steps[0].values.insert(steps[0].values.end(), wish.by.begin(), wish.by.end());
    if (wish.counters()) {
        WEIR_TRY(auto frames, frame_steps(false));
        std::move(frames.begin(), frames.end(), std::back_inserter(steps));
    }
    return steps;
}

Result<Places> Places::read() {
    Places places;
    WEIR_TRY(places.netns_, kernel::network_namespace());
    WEIR_TRY(const auto all, kernel::interfaces());
    for (const kernel::Interface& each : all) {
        places.interfaces_[each.index] = each.name;
    }
    std::error_code ignored; // without the folder no namespace has a name
    for (const auto& entry : std::filesystem::directory_iterator("/run/netns", ignored)) {
        struct stat status {};
        if (stat(entry.path().c_str(), &status) == 0) {
            places.namespaces_[static_cast<std::uint32_t>(status.st_ino)] = entry.path().filename();
        }
    }
    return places;
}

std::string Places::device(const std::string& name, std::uint32_t netns) const {
    if (name.empty()) {
        return "-";
    }
    if (netns == netns_) {
        return name;
    }
    const auto named = namespaces_.find(netns);
    return fmt::format("{} ({})", name,
                       named == namespaces_.end() ? fmt::format("net:[{}]", netns) : named->second);
}

std::string Places::device(std::uint32_t index) const {
    const auto found = interfaces_.find(index);
    return index == 0                   ? "-"
           : found == interfaces_.end() ? fmt::format("interface {}", index)
                                        : found->second;
}

Result<> DropTable::begin(trace::Session& session) {
    session.symbols().function_at(0); // reads them, which takes time, before the interval begins
    totals_.clear();
    WEIR_CHECK(of_kernel(session));
    if (wish_.counters()) {
        WEIR_TRY(weir_, weir_drops(cx_));
    }
    return {};
}

Result<std::vector<DropRow>> DropTable::of_kernel(trace::Session& session) {
    const trace::Names names = session.names();
    WEIR_TRY(const auto totals, session.tracer().totals(false));
    std::map<std::vector<std::string>, DropRow> rows;
    drops::Losses frames;
    for (const auto& each : totals) {
        const auto& key = each.first; // lambdas take no structured bindings (clang 14)
        const trace_total& now = each.second;
        trace_total& before = totals_[octets_of(key)];
        trace_total more = now;
        more.events -= before.events;
        for (std::size_t i = 0; i < TRACE_SUMS; i++) {
            more.sum[i] -= before.sum[i];
        }
        before = now;
        const trace::Probe& probe = session.probes().at(key.probe);
        if (more.events == 0) {
            continue;
        }
        if (probe.point != 0) {
            add_frames(probe, key, more, frames);
            continue;
        }
        const trace::Values values = trace::values_of(key);
        const auto number = [&](DropValue value) { return key.number[probe.fields[value].index]; };
        const std::string function = session.symbols().function_at(number(kDropLocation));
        const trace_text& text = key.text[probe.fields[kDropDevice].index];
        const std::string name(text.octets, strnlen(text.octets, sizeof(text)));
        const auto netns = static_cast<std::uint32_t>(number(kDropNetns));
        DropRow row{.reason = reason_name(probe.fields[kDropReason], number(kDropReason)),
                    .function = function.empty() ? "-" : function,
                    .device = places_.device(name, netns)};
        if (row.reason.empty() || !wish_.wants(name, netns, places_.netns())) {
            continue;
        }
        std::size_t at = kDropFixed;
        if (wish_.stack) {
            const trace::Field& field = probe.fields[at++];
            row.stack = trace::stack_lines(field, trace::values_of(key), names);
            const auto kernels = std::find_if_not(row.stack.begin(), row.stack.end(), is_tracers);
            row.stack.erase(row.stack.begin(), kernels);
        }
        for (; at < probe.fields.size(); at++) {
            row.more_json.push_back(trace::value_json(probe.fields[at], values, names));
            const output::Json& json = row.more_json.back();
            row.more.push_back(json.is_string()
                                   ? output::one_line(json.get<std::string>())
                                   : trace::value_text(probe.fields[at], values, names));
        }
        std::vector<std::string> id = {row.reason, row.function, row.device};
        id.insert(id.end(), row.more.begin(), row.more.end());
        id.insert(id.end(), row.stack.begin(), row.stack.end());
        rows.emplace(std::move(id), std::move(row)).first->second.packets += more.events;
    }
    std::vector<DropRow> all;
    for (auto& [id, row] : rows) {
        all.push_back(std::move(row));
    }
    for (const auto& [loss, packets] : frames.frames) {
        const bool here = loss.netns == places_.netns();
        if (!wish_.device.empty() &&
            (!here || (loss.from != wish_.index && loss.to != wish_.index))) {
            continue;
        }
        std::string function = loss.tracepoint;
        if (loss.to != 0) {
            function +=
                " to " + (here ? places_.device(loss.to) : fmt::format("interface {}", loss.to));
        }
        if (!loss.program.empty()) {
            function += " by " + loss.program;
        }
        const std::string device = places_.device(loss.device, loss.netns);
        if (loss.tracepoint == drops::kException && !wish_.by_packet()) {
            take_off(HOOK_XDP, device, packets, all);
        }
        all.push_back({.reason = loss.error,
                       .function = std::move(function),
                       .device = device,
                       .packets = packets});
    }
    return all;
}

void DropTable::add_weir(const WeirDrops& before, const WeirDrops& now,
                         std::vector<DropRow>& rows) const {
    for (const WeirDrops::Interface& each : now.interfaces) {
        if (!wish_.device.empty() && each.index != wish_.index) {
            continue;
        }
        const auto was = std::find_if(before.interfaces.begin(), before.interfaces.end(),
                                      [&](const auto& old) { return old.index == each.index; });
        const drops::WeirBooks grown = drops::grown(
            {was == before.interfaces.end() ? decltype(each.hooks){} : was->hooks, before.rules},
            {each.hooks, now.rules});
        for (int h = 0; h < HOOK_COUNT; h++) {
            const hook at = static_cast<hook>(h);
            const hook_count& book = grown.hooks[at];
            const std::string function = fmt::format("weir/{}", hook_name(at));
            const bool told = std::any_of(rows.begin(), rows.end(), [&](const DropRow& row) {
                return freed_for(at, each.name, row);
            });
            if (told && wish_.by_packet()) {
                continue; // the kernel's rows tell more
            }
            take_off(at, each.name, book.verdict[VERDICT_DROP].packets, rows);
            for (int r = 0; r < REASON_COUNT; r++) {
                if (r != REASON_RULE && book.dropped[r].packets > 0) {
                    rows.push_back({.reason = std::string(model::name(static_cast<reason>(r))),
                                    .function = function,
                                    .device = each.name,
                                    .packets = book.dropped[r].packets});
                }
            }
            for (const drops::Loss& loss : drops::rule_losses(grown, at)) {
                rows.push_back({.reason = fmt::format("{}: {}", loss.cause, loss.where),
                                .function = function,
                                .device = each.name,
                                .packets = loss.packets});
            }
        }
    }
}

Result<std::vector<DropRow>> DropTable::next(trace::Session& session) {
    WEIR_TRY(auto rows, of_kernel(session));
    if (wish_.counters()) {
        WEIR_TRY(auto now, weir_drops(cx_));
        if (now) {
            add_weir(weir_.value_or(WeirDrops{}), *now, rows);
        }
        weir_ = std::move(now);
    }
    std::erase_if(rows, [](const DropRow& row) { return row.packets == 0; });
    std::stable_sort(rows.begin(), rows.end(),
                     [](const DropRow& a, const DropRow& b) { return b.packets < a.packets; });
    return rows;
}

} // namespace weir::verbs
