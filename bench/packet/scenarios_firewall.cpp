#include <fmt/format.h>
#include <linux/bpf.h>

#include <algorithm>
#include <bit>
#include <memory>
#include <optional>
#include <random>

#include "bench/packet/rule_generator.h"
#include "bench/packet/scenario.h"

namespace weir::bench {
namespace {

constexpr std::uint64_t kRulesSeed = 7;
constexpr std::size_t kMixed = 65536; // distinct headers of a mixed case

// Sizes that hold so many rules, or come as near to it as `weir load` allows.
model::Limits limits_for(std::size_t rules) {
    model::Limits limits;
    limits.rules = std::max(limits.rules, static_cast<std::uint32_t>(rules));
    limits.nodes = static_cast<std::uint32_t>(std::clamp<std::size_t>(
        std::bit_ceil(rules * 8), std::size_t{limits.nodes}, std::size_t{FW_NODES_LIMIT}));
    return limits;
}

// Generated rules, then one that none of them overlaps: what it matches is compared with all.
struct RuleSet {
    std::size_t size = 0; // the last one included
    std::vector<GeneratedRule> generated = {};
    GeneratedRule last = {};
    text::PacketFields miss = {};

    std::string yaml() const {
        std::string text = "firewall:\n  ingress:\n    rules:\n";
        for (std::size_t i = 0; i + 1 < size; i++) {
            text += "      - \"" + generated[i].text + "\"\n";
        }
        return text + "      - \"" + last.text + "\"\n";
    }
    const text::PacketFields& nth(std::size_t i) const {
        return i + 1 < size ? generated[i].match : last.match;
    }
};

// From networks for benchmarks (RFC 2544, RFC 5180), which no generated rule names.
IpAddr unnamed(Family family, std::uint32_t n) {
    return family == Family::kIpv4 ? IpAddr::v4(0xc6120000 + n)
                                   : IpAddr::v6({0x2001000200000000, n});
}

RuleSet realistic(Family family, std::size_t size) {
    RuleSet set{.size = size, .generated = realistic_rules(family, size - 1, kRulesSeed)};
    text::PacketFields& packet = set.last.match;
    packet.family = family;
    packet.saddr = unnamed(family, 1);
    packet.daddr = unnamed(family, 2);
    packet.dport = 7001;
    const char* const ip = family == Family::kIpv4 ? "ip" : "ip6";
    set.last.text = fmt::format("{0} saddr {1} {0} daddr {2} tcp dport 7001 drop", ip,
                                packet.saddr->to_string(), packet.daddr->to_string());
    set.miss = packet;
    set.miss.dport = 7002;
    return set;
}

// No generated range of ports reaches 61,000.
RuleSet adversarial(Family family, std::size_t size) {
    RuleSet set{.size = size, .generated = adversarial_rules(family, size - 1, kRulesSeed)};
    set.last.text = "tcp sport 61000-61999 tcp dport 61000-61999 drop";
    set.last.match = size > 1 ? set.generated[0].match : text::PacketFields{};
    set.last.match.family = family;
    set.last.match.sport = set.last.match.dport = 61500;
    set.miss = set.last.match;
    set.miss.sport = set.miss.dport = 62500;
    return set;
}

// A rule set that is made when it is first asked for.
using Lazy = std::function<const RuleSet&()>;

Lazy lazily(Family family, bool hard, std::size_t size) {
    return [=, made = std::make_shared<std::optional<RuleSet>>()]() -> const RuleSet& {
        if (!*made) {
            *made = hard ? adversarial(family, size) : realistic(family, size);
        }
        return **made;
    };
}

SetUp firewall_set_up(Family family, bool hard, std::size_t size) {
    const Lazy set = lazily(family, hard, size);
    const std::string series =
        fmt::format("fw{}{}", family == Family::kIpv4 ? 4 : 6, hard ? "-hard" : "");
    const std::string rules =
        fmt::format("{} {} {} rule{}", size, hard ? "adversarial" : "realistic",
                    family == Family::kIpv4 ? "IPv4" : "IPv6", size == 1 ? "" : "s");
    SetUp set_up{.limits = limits_for(size), .yaml = [set] { return set().yaml(); }};

    const auto add = [&](const char* which, const std::string& what, int expect,
                         std::function<Traffic()> traffic) {
        set_up.cases.push_back({.name = fmt::format("{}-{}-{}", series, size, which),
                                .what = rules + ", " + what,
                                .expect = expect,
                                .traffic = std::move(traffic),
                                .series = series + "-" + which,
                                .x = size});
        // A part of many headers is not the whole.
        set_up.cases.back().counted = size <= 1000 && std::string_view(which) != "mixed";
    };
    const auto one = [&](const char* which, const std::string& what, int expect,
                         std::function<text::PacketFields(const RuleSet&)> packet) {
        add(which, what, expect,
            [set, packet] { return make_traffic(1, [&](std::size_t) { return packet(set()); }); });
    };
    if (size > 1) {
        one("first", "the first one drops", XDP_DROP, [](const RuleSet& s) { return s.nth(0); });
    }
    one("last", "the last one drops", XDP_DROP, [](const RuleSet& s) { return s.last.match; });
    one("miss", "none matches", XDP_PASS, [](const RuleSet& s) { return s.miss; });
    if (size > 1) {
        add("mixed", fmt::format("{} headers, each of a random rule", kMixed), XDP_DROP, [set] {
            std::mt19937_64 random(kRulesSeed);
            return make_traffic(kMixed,
                                [&](std::size_t) { return set().nth(random() % set().size); });
        });
    }
    return set_up;
}

} // namespace

std::vector<SetUp> firewall_scenarios() {
    std::vector<SetUp> set_ups;
    for (const Family family : {Family::kIpv4, Family::kIpv6}) {
        for (const bool hard : {false, true}) {
            for (const std::size_t size : {1, 10, 100, 1000, 10000, 100000}) {
                if (!hard || size >= 100) {
                    set_ups.push_back(firewall_set_up(family, hard, size));
                }
            }
        }
    }
    return set_ups;
}

} // namespace weir::bench
