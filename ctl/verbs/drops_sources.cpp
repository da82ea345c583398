#include "verbs/drops_sources.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <linux/bpf.h>

#include "text/rule_text.h"
#include "verbs/hooks.h"
#include "verbs/state.h"

namespace weir::verbs {
namespace {

// "ENXIO" of -6.
std::string error_name(std::uint64_t value) {
    const auto error = static_cast<std::int32_t>(value);
    if (error == 0) {
        return "not taken"; // the driver took fewer than it was given
    }
    const char* name = strerrorname_np(-error);
    return name == nullptr ? std::to_string(error) : name;
}

std::string action_name(std::uint64_t action) {
    constexpr std::array<const char*, XDP_REDIRECT + 1> kNames = {
        "XDP_ABORTED", "XDP_DROP", "XDP_PASS", "XDP_TX", "XDP_REDIRECT"};
    return action < kNames.size() ? kNames.at(action) : fmt::format("XDP action {}", action);
}

} // namespace

Result<std::vector<trace::Step>> frame_steps(bool sent) {
    const auto counted = [](const char* source, const char* where, std::string values,
                            std::size_t sums) {
        return trace::StepWords{.source = source,
                                .chosen = false,
                                .where = where,
                                .values = std::move(values),
                                .sums = sums,
                                .sink = trace::Sink::kCount};
    };
    // The tracepoints' records have no namespace; their arguments do.
    const std::string of_dev = "dev->ifindex, {}, dev->nd_net.net->ns.inum, dev->name";
    const auto from_dev = [&](const char* first, const char* to, const char* more) {
        return fmt::format("{}, {}{}", first, fmt::format(fmt::runtime(of_dev), to), more);
    };
    return trace::parse_steps(
        {counted("raw:xdp_exception", nullptr, from_dev("act", "0", ", xdp->aux->name"), 0),
         // Without a map, `index` is the interface.
         counted("raw:xdp_redirect_err", nullptr, from_dev("err", "(map_type == 0) * index", ""),
                 0),
         counted("raw:xdp_devmap_xmit", sent ? nullptr : "drops > 0",
                 "err, from_dev->ifindex, to_dev->ifindex, from_dev->nd_net.net->ns.inum, "
                 "from_dev->name, drops, sent",
                 2),
         counted("raw:xdp_bulk_tx", "drops > 0", from_dev("err", "0", ", drops"), 1),
         counted("raw:xdp_cpumap_enqueue", "drops > 0", "to_cpu, 0, 0, 0, drops", 1)});
}

void add_frames(const trace::Probe& probe, const trace_key& key, const trace_total& total,
                drops::Losses& into) {
    const auto number = [&](std::size_t at) { return static_cast<std::uint32_t>(key.number[at]); };
    const auto text = [&](std::size_t at) {
        return std::string(key.text[at].octets, strnlen(key.text[at].octets, TRACE_STRING_SIZE));
    };
    drops::FrameLoss loss{probe.name, error_name(key.number[0]), number(1), number(2), number(3),
                          text(0)};
    std::uint64_t packets = total.sum[0];
    if (loss.tracepoint == drops::kException) {
        loss.error = action_name(key.number[0]);
        loss.program = text(1);
        packets = total.events;
    } else if (loss.tracepoint == drops::kRedirectError) {
        packets = total.events;
    } else if (loss.tracepoint == drops::kCpumap) {
        loss.error = fmt::format("CPU {} is full", key.number[0]);
    } else if (loss.tracepoint == drops::kDevmap) {
        into.redirected[{loss.netns, loss.from}] += total.sum[1];
    }
    if (packets > 0) {
        into.frames[loss] += packets;
    }
}

// include/net/dropreason.h: the upper 16 bits are the subsystem.
std::string reason_name(const trace::Field& field, std::uint64_t number) {
    constexpr std::string_view kPrefix = "SKB_DROP_REASON_";
    constexpr unsigned kSubsystem = 16;
    const auto found = std::find_if(field.names.begin(), field.names.end(), [&](const auto& each) {
        return static_cast<std::uint64_t>(each.second) == number;
    });
    if (found == field.names.end()) {
        return number >> kSubsystem == 0
                   ? fmt::format("reason {}", number)
                   : fmt::format("subsystem {}, reason {}", number >> kSubsystem,
                                 number & ((1U << kSubsystem) - 1));
    }
    const std::string& name = found->first;
    // SKB_NOT_DROPPED_YET, SKB_CONSUMED
    return name.starts_with(kPrefix) ? name.substr(kPrefix.size()) : "";
}

Result<std::optional<WeirDrops>> weir_drops(const Context& cx) {
    if (!cx.pins.loaded()) {
        return std::nullopt;
    }
    WEIR_TRY(const auto session, open_session(cx, kernel::Lock::Mode::kShared));
    const kernel::Node& node = session.node;
    WeirDrops all;
    WEIR_TRY(const auto entries, node.ifaces());
    const auto read = [&](std::string name, std::uint32_t index, std::uint32_t slot) -> Result<> {
        WeirDrops::Interface interface {
            std::move(name), index, {}
        };
        for (std::size_t h = 0; h < interface.hooks.size(); h++) {
            WEIR_TRY(interface.hooks[h], node.hook_hits(slot, static_cast<hook>(h)));
        }
        all.interfaces.push_back(std::move(interface));
        return {};
    };
    for (const auto& [index, entry] : entries) {
        WEIR_CHECK(read(interface_name(entry), index, entry.slot));
    }
    WEIR_CHECK(read("(others)", 0, 0));
    WEIR_TRY(const auto live, read_live(node));
    for (const auto chain : {model::ChainName::kIngress, model::ChainName::kEgress}) {
        for (const model::Rule& rule : live.saved.config.chain(chain).rules) {
            if (rule.verdict == model::Verdict::kDrop) {
                WEIR_TRY(const auto hits, node.rule_hits(rule.slot));
                all.rules.push_back({chain == model::ChainName::kEgress, rule.handle,
                                     text::print(rule), hits.packets});
            }
        }
    }
    return all;
}

} // namespace weir::verbs
