#include <fmt/format.h>
#include <linux/bpf.h>
#include <netinet/in.h>

#include "bench/packet/rule_generator.h"
#include "bench/packet/scenario.h"

namespace weir::bench {

// What IPv6 itself says on a new interface would become neighbours in front of ours in a chain of
// the kernel's hash table, 17 instructions each: no link-local address, and where reports of
// multicast groups go (ff02::16, RFC 3810 5.2.14) is known before.
const char* const kBenchNetwork =
    "link set lo up\n"
    "link add bench0 address 02:00:00:00:00:10 type veth peer name bench1\n"
    "link set bench0 addrgenmode none up\n"
    "link set bench1 addrgenmode none up\n"
    "neigh add ff02::16 dev bench0 nud noarp\n"
    "neigh add ff02::16 dev bench1 nud noarp\n"
    "addr add 10.0.2.1/24 dev bench0\n"
    "addr add fd00:2::1/64 dev bench0 nodad\n"
    "neigh add 10.0.2.2 lladdr 02:00:00:00:00:22 dev bench0\n"
    "neigh add 10.0.2.3 lladdr 02:00:00:00:00:23 dev bench0\n"
    "neigh add fd00:2::2 lladdr 02:00:00:00:00:22 dev bench0\n"
    "neigh add fd00:2::3 lladdr 02:00:00:00:00:23 dev bench0\n";

namespace {

constexpr std::uint8_t kSyn = 0x02, kAck = 0x10;
constexpr std::uint32_t kMillion = 1'000'000;

struct Mode {
    const char* name; // "ipip4"
    const char* what; // "IPIP, fixed gateway"
    Family family;
    const char* forward; // "ipip", "l2dsr"
    bool routed;
};
constexpr Mode kModes[] = {
    {"ipip4", "IPIP to the gateway", Family::kIpv4, "ipip", false},
    {"ipip6", "IP6IP6 to the gateway", Family::kIpv6, "ipip", false},
    {"ipip4-routed", "IPIP, next hop from the routing table", Family::kIpv4, "ipip", true},
    {"ipip6-routed", "IP6IP6, next hop from the routing table", Family::kIpv6, "ipip", true},
    {"l2dsr4", "L2 DSR", Family::kIpv4, "l2dsr", true},
    {"l2dsr6", "L2 DSR, IPv6", Family::kIpv6, "l2dsr", true},
};

IpAddr vip(Family family, std::size_t service) {
    return family == Family::kIpv4
               ? IpAddr::v4(static_cast<std::uint32_t>(0xcb007100 + service)) // 203.0.113.0 on
               : IpAddr::v6({0x20010db800000000, 0x10 + service});
}

std::string yaml(const Mode& mode, std::size_t services, const std::string& rules) {
    const bool four = mode.family == Family::kIpv4;
    std::string text = rules + "lb:\n  source: 10.99.0.0/16\n  source6: fd00:99::/64\n";
    if (!mode.routed) {
        text += "  gateway: 02:00:00:00:00:01\n";
    }
    text += "  services:\n";
    for (std::size_t i = 0; i < services; i++) {
        text += fmt::format(
            "    - {{vip: \"{}:80/tcp\", forward: {}, backends: [{}]}}\n",
            four ? vip(mode.family, i).to_string() : "[" + vip(mode.family, i).to_string() + "]",
            mode.forward, four ? "10.0.2.2, 10.0.2.3" : R"("fd00:2::2", "fd00:2::3")");
    }
    return text;
}

text::PacketFields client_of(Family family, std::size_t service, std::uint8_t flags) {
    text::PacketFields packet;
    packet.family = family;
    packet.saddr = family == Family::kIpv4
                       ? IpAddr::v4(0xac100000) // 172.16.0.0 on: no rule names it
                       : IpAddr::v6({0x20010db800010000, 0});
    packet.daddr = vip(family, service);
    packet.dport = 80;
    packet.tcp_flags = flags;
    return packet;
}

struct Wanted {
    std::uint32_t flows = 1;
    std::uint8_t flags = kAck;
    std::size_t services = 1;
};

Case balanced(std::string name, std::string what, const Mode& mode, Wanted wanted) {
    const Family family = mode.family;
    return {.name = std::move(name),
            .what = std::move(what),
            .expect = mode.routed ? XDP_REDIRECT : XDP_TX,
            .traffic = [=] {
                return make_flows(wanted.flows, wanted.services, [=](std::size_t i) {
                    return client_of(family, i, wanted.flags);
                });
            }};
}

SetUp set_up(const Mode& mode, std::size_t services = 1, const std::string& rules = "") {
    SetUp made{.yaml = [=] { return yaml(mode, services, rules); }};
    made.limits.services = std::max(made.limits.services, static_cast<std::uint32_t>(services));
    made.limits.backends = std::max(made.limits.backends, static_cast<std::uint32_t>(2 * services));
    made.limits.buckets = std::max(
        made.limits.buckets, static_cast<std::uint32_t>(2 * services * model::ring_buckets(2, 0)));
    made.routed = mode.routed;
    return made;
}

SetUp mode_set_up(const Mode& mode) {
    SetUp made = set_up(mode);
    const std::string name = std::string("lb-") + mode.name;
    made.cases.push_back(balanced(name + "-hit", fmt::format("{}: one flow", mode.what), mode, {}));
    made.cases.push_back(balanced(name + "-syn", fmt::format("{}: SYNs of 10000 flows", mode.what),
                                  mode, {.flows = 10000, .flags = kSyn}));
    for (Case& each : made.cases) {
        each.counted = true;
    }
    return made;
}

SetUp flows_set_up(std::uint32_t flows) {
    SetUp made = set_up(kModes[0]);
    Case each = balanced(fmt::format("lb-flows-{}", flows),
                         fmt::format("IPIP to the gateway: {} flows by turns", flows), kModes[0],
                         {.flows = flows});
    each.series = "lb-flows";
    each.x = flows;
    made.cases.push_back(std::move(each));
    return made;
}

// Every bucket belonged to another backend a moment ago.
SetUp hot_set_up() {
    SetUp made = set_up(kModes[0]);
    const auto replace = [](std::string text, const std::string& from, const std::string& to) {
        return text.replace(text.find(from), from.size(), to);
    };
    const auto after = made.yaml;
    made.before = [=] { return replace(after(), "10.0.2.2, 10.0.2.3", "10.0.2.4"); };
    made.yaml = [=] {
        return replace(after(), "10.0.2.2, 10.0.2.3",
                       "10.0.2.2, 10.0.2.3, {address: 10.0.2.4, weight: 0}");
    };
    made.cases.push_back(balanced(
        "lb-ipip4-hot", "IPIP to the gateway, right after a change: one flow, open before it",
        kModes[0], {}));
    made.cases.push_back(
        balanced("lb-ipip4-hot-syn",
                 "IPIP to the gateway, right after a change: SYNs of 10000 flows, each entered",
                 kModes[0], {.flows = 10000, .flags = kSyn}));
    for (Case& each : made.cases) {
        each.counted = true;
    }
    return made;
}

SetUp services_set_up(std::size_t services) {
    SetUp made = set_up(kModes[0], services);
    Case each = balanced(fmt::format("lb-services-{}", services),
                         fmt::format("IPIP to the gateway: {} services, 10000 flows", services),
                         kModes[0], {.flows = 10000, .services = services});
    each.series = "lb-services";
    each.x = services;
    made.cases.push_back(std::move(each));
    return made;
}

// Filter, balance, count: what a node does.
SetUp whole_path() {
    std::string rules = "firewall:\n  ingress:\n    policy: drop\n    rules:\n";
    for (const GeneratedRule& rule : realistic_rules(Family::kIpv4, 100, 7)) {
        rules += "      - \"" + rule.text + "\"\n";
    }
    rules += "      - \"tcp dport 80 accept\"\n";
    SetUp made = set_up(kModes[0], 100, rules);
    for (const std::uint32_t flows : {1U, 10000U, kMillion}) {
        Case whole = balanced(
            fmt::format("whole-{}", flows),
            fmt::format("101 rules, the last accepts, then one of 100 services by IPIP: {} {}",
                        flows, flows == 1 ? "flow" : "flows"),
            kModes[0], {.flows = flows, .services = std::min<std::size_t>(flows, 100)});
        whole.series = "whole";
        whole.x = flows;
        whole.counted = flows == 1;
        made.cases.push_back(std::move(whole));
    }
    return made;
}

} // namespace

std::vector<SetUp> balancer_scenarios() {
    std::vector<SetUp> set_ups;
    for (const Mode& mode : kModes) {
        set_ups.push_back(mode_set_up(mode));
    }
    for (const std::uint32_t flows : {1U, 100U, 10000U, kMillion}) {
        set_ups.push_back(flows_set_up(flows));
    }
    set_ups.push_back(hot_set_up());
    for (const std::size_t services : {1, 100, 10000}) {
        set_ups.push_back(services_set_up(services));
    }
    set_ups.push_back(whole_path());
    return set_ups;
}

} // namespace weir::bench
