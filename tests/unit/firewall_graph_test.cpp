#include <algorithm>
#include <gtest/gtest.h>
#include <optional>
#include <random>
#include <tuple>

#include "compile/images.h"
#include "graph_walk.h"

namespace weir::compile {
namespace {

using model::Field;
using model::Interval;
using model::Match;
using model::Rule;
using model::Verdict;
using test::Facts;
using test::Walk;

constexpr std::uint64_t kMax64 = ~std::uint64_t{0};
constexpr std::uint16_t kIpv4 = 0x0800;
constexpr std::uint16_t kIpv6 = 0x86dd;

// A packet in words; its facts, and what a rule says of it, both follow from this alone.
struct Packet {
    U128 ifname{};
    std::uint64_t ether_saddr = 0, ether_daddr = 0;
    std::uint16_t ether_type = kIpv4;
    std::optional<std::uint64_t> vlan{};
    U128 saddr{}, daddr{}; // IP only
    std::uint64_t dscp = 0, frag_off = 0;
    std::uint64_t l4proto = 6;
    bool later_fragment = false; // no transport header
    std::uint64_t sport = 0, dport = 0, flags = 0, type = 0, code = 0;

    bool ip() const { return ether_type == kIpv4 || ether_type == kIpv6; }
    bool transport(std::uint64_t proto) const {
        return ip() && !later_fragment && l4proto == proto;
    }
};

std::optional<U128> number(bool there, U128 value) {
    return there ? std::optional(value) : std::nullopt;
}
std::optional<U128> number(bool there, std::uint64_t value) {
    return number(there, U128{0, value});
}

// The field's value; none without its header.
std::optional<U128> value(Field field, const Packet& p) {
    const bool v4 = p.ether_type == kIpv4;
    const bool v6 = p.ether_type == kIpv6;
    switch (field) {
    case Field::kIifname:
    case Field::kOifname:
        return p.ifname;
    case Field::kEtherSaddr:
        return U128{0, p.ether_saddr};
    case Field::kEtherDaddr:
        return U128{0, p.ether_daddr};
    case Field::kEtherType:
        return U128{0, p.ether_type};
    case Field::kVlanId:
        return number(p.vlan.has_value(), p.vlan.value_or(0));
    case Field::kMetaL4proto:
        return number(v4 || v6, p.l4proto);
    case Field::kIpProtocol:
        return number(v4, p.l4proto);
    case Field::kIpSaddr:
        return number(v4, p.saddr);
    case Field::kIpDaddr:
        return number(v4, p.daddr);
    case Field::kIp6Saddr:
        return number(v6, p.saddr);
    case Field::kIp6Daddr:
        return number(v6, p.daddr);
    case Field::kIpDscp:
        return number(v4, p.dscp);
    case Field::kIp6Dscp:
        return number(v6, p.dscp);
    case Field::kIpFragOff:
        return number(v4, p.frag_off);
    case Field::kTcpSport:
        return number(p.transport(6), p.sport);
    case Field::kTcpDport:
        return number(p.transport(6), p.dport);
    case Field::kTcpFlags:
        return number(p.transport(6), p.flags);
    case Field::kUdpSport:
        return number(p.transport(17), p.sport);
    case Field::kUdpDport:
        return number(p.transport(17), p.dport);
    case Field::kIcmpType:
        return number(v4 && p.transport(1), p.type);
    case Field::kIcmpCode:
        return number(v4 && p.transport(1), p.code);
    case Field::kIcmpv6Type:
        return number(v6 && p.transport(58), p.type);
    case Field::kIcmpv6Code:
        return number(v6 && p.transport(58), p.code);
    }
    return std::nullopt;
}

bool lies_in(const std::vector<Interval>& intervals, U128 n) {
    for (const Interval& i : intervals) {
        if (i.first <= n && n <= i.last) {
            return true;
        }
    }
    return false;
}

bool matches(const Match& match, const Packet& p, const model::Config& config) {
    std::optional<U128> v = value(match.field, p);
    if (!v) {
        return false;
    }
    if (match.mask) {
        v->lo &= *match.mask;
    }
    const bool found =
        lies_in(match.set.empty() ? match.values : config.sets.at(match.set).elements, *v);
    return found != match.negated;
}

Walk decide(const model::Chain& chain, const Packet& p, const model::Config& config) {
    Walk walk{chain.policy == Verdict::kAccept, FW_NO_SLOT, {}, 0};
    for (const Rule& rule : chain.rules) {
        bool all = true;
        for (const Match& match : rule.matches) {
            all = all && matches(match, p, config);
        }
        if (all && rule.verdict) {
            walk.accepted = *rule.verdict == Verdict::kAccept;
            walk.slot = rule.slot;
            return walk;
        }
        if (all) {
            walk.counted.push_back(rule.slot);
        }
    }
    return walk;
}

std::uint64_t sets_with(const model::Config& config, model::SetType type, U128 n) {
    std::uint64_t bits = 0, bit = 1;
    for (const auto& [name, set] : config.sets) {
        bits |= set.type == type && lies_in(set.elements, n) ? bit : 0;
        bit <<= 1;
    }
    return bits;
}

Facts facts(const Packet& p, const model::Config& config) {
    Facts f{};
    f[FACT_IFNAME_HI] = p.ifname.hi;
    f[FACT_IFNAME_LO] = p.ifname.lo;
    f[FACT_ETHER_SADDR] = p.ether_saddr;
    f[FACT_ETHER_DADDR] = p.ether_daddr;
    f[FACT_ETHER_TYPE] = p.ether_type;
    f[FACT_VLAN_ID] = p.vlan ? VLAN_PRESENT | *p.vlan : 0;
    f[FACT_L4PROTO] = f[FACT_TRANSPORT] = L4PROTO_NONE;
    // Ports are looked up whatever the packet: absent ones as port 0.
    const bool ports = p.transport(6) || p.transport(17);
    f[FACT_SPORT] = ports ? p.sport : 0;
    f[FACT_DPORT] = ports ? p.dport : 0;
    f[FACT_SPORT_SETS] = sets_with(config, model::SetType::kInetService, {0, f[FACT_SPORT]});
    f[FACT_DPORT_SETS] = sets_with(config, model::SetType::kInetService, {0, f[FACT_DPORT]});
    if (!p.ip()) {
        return f;
    }
    f[FACT_SADDR_HI] = p.saddr.hi;
    f[FACT_SADDR_LO] = p.saddr.lo;
    f[FACT_DADDR_HI] = p.daddr.hi;
    f[FACT_DADDR_LO] = p.daddr.lo;
    f[FACT_DSCP] = p.dscp;
    f[FACT_FRAG_OFF] = p.ether_type == kIpv4 ? p.frag_off : 0;
    f[FACT_L4PROTO] = p.l4proto;
    const auto addresses =
        p.ether_type == kIpv4 ? model::SetType::kIpv4Addr : model::SetType::kIpv6Addr;
    f[FACT_SADDR_SETS] = sets_with(config, addresses, p.saddr);
    f[FACT_DADDR_SETS] = sets_with(config, addresses, p.daddr);
    if (p.later_fragment) {
        return f;
    }
    f[FACT_TRANSPORT] = p.l4proto;
    if (p.transport(6)) {
        f[FACT_TCP_FLAGS] = p.flags;
    }
    if (p.transport(1) || p.transport(58)) {
        f[FACT_ICMP_TYPE] = p.type;
        f[FACT_ICMP_CODE] = p.code;
    }
    return f;
}

Match any_of(Field field, std::vector<Interval> values) {
    Match m;
    m.field = field;
    m.braces = values.size() > 1;
    m.values = std::move(values);
    return m;
}

Match one(Field field, std::uint64_t value) {
    return any_of(field, {{{0, value}, {0, value}}});
}

Match in_set(Field field, const std::string& name) {
    Match m;
    m.field = field;
    m.set = name;
    return m;
}

model::Set set(const std::string& name, model::SetType type, std::vector<Interval> elements) {
    return {name, type, "", std::move(elements)};
}

Rule rule(std::vector<Match> matches, std::optional<Verdict> verdict, model::Slot slot) {
    Rule r;
    r.matches = std::move(matches);
    r.verdict = verdict;
    r.counter = !verdict;
    r.slot = slot;
    return r;
}

Firewall compiled(const model::Config& config, std::uint32_t nodes = FW_NODES_DEFAULT) {
    auto firewall = compile_firewall(config, {.nodes = nodes});
    EXPECT_TRUE(firewall) << firewall.error().message();
    return firewall ? *std::move(firewall) : Firewall{};
}

void expect_sound(const Firewall& f) {
    ASSERT_LT(f.ingress_root, f.nodes.size());
    ASSERT_LT(f.egress_root, f.nodes.size());
    ASSERT_GT(f.ingress_root, 0U);
    ASSERT_GT(f.egress_root, 0U);
    EXPECT_EQ(f.nodes[0].kind, FW_DROP);
    EXPECT_EQ(f.nodes[0].slot, FW_NO_SLOT);
    for (std::uint32_t i = 1; i < f.nodes.size(); i++) {
        const fw_node& n = f.nodes[i];
        const bool test = n.kind == FW_RANGE || n.kind == FW_MASK;
        EXPECT_LE(n.kind, FW_DROP);
        EXPECT_LT(n.fact, FACT_COUNT);
        if (test || n.kind == FW_COUNT) {
            EXPECT_GT(n.yes, i);
            EXPECT_LT(n.yes, f.nodes.size());
        } else {
            EXPECT_EQ(n.yes, 0U);
        }
        if (test) {
            EXPECT_GT(n.no, i);
            EXPECT_LT(n.no, f.nodes.size());
        } else {
            EXPECT_EQ(n.no, 0U);
        }
    }
}

TEST(FirewallGraph, WithoutRulesIsThePolicyOfEachChain) {
    model::Config config;
    config.egress.policy = Verdict::kDrop;
    const Firewall f = compiled(config);

    ASSERT_EQ(f.nodes.size(), 3U); // sentinel, two policies
    EXPECT_EQ(test::walk(f.nodes, f.ingress_root, Facts{}), (Walk{true, FW_NO_SLOT, {}, 0}));
    EXPECT_EQ(test::walk(f.nodes, f.egress_root, Facts{}), (Walk{false, FW_NO_SLOT, {}, 0}));
    expect_sound(f);
}

TEST(FirewallGraph, ARuleOfOneProtocolCostsOthersTheDispatchAlone) {
    model::Config config;
    for (std::uint32_t i = 0; i < 1000; i++) {
        config.ingress.rules.push_back(
            rule({one(Field::kUdpDport, i)}, Verdict::kDrop, i)); // udp dport i drop
    }
    config.ingress.rules.push_back(rule({one(Field::kTcpDport, 22)}, Verdict::kDrop, 1000));
    const Firewall f = compiled(config);

    const Packet ssh{.dport = 22};
    const Walk walk = test::walk(f.nodes, f.ingress_root, facts(ssh, config));
    EXPECT_EQ(walk.slot, 1000U);
    EXPECT_EQ(walk.steps, 4U); // IPv4, TCP, port 22, verdict
    // IPv4 and IPv6 ask the same: the lists are made once.
    EXPECT_LT(f.nodes.size(), 2U * 1001 + 16);
}

TEST(FirewallGraph, LongListIsSearchedNotScanned) {
    Match ports = any_of(Field::kTcpDport, {});
    for (std::uint64_t i = 0; i < 1024; i++) {
        ports.values.push_back({{0, 3 * i}, {0, 3 * i + 1}});
    }
    model::Config config;
    config.ingress.rules.push_back(rule({ports}, Verdict::kDrop, 7));
    const Firewall f = compiled(config);

    for (std::uint64_t port = 0; port < 4096; port++) {
        const Walk walk = test::walk(f.nodes, f.ingress_root, facts(Packet{.dport = port}, config));
        ASSERT_EQ(walk.slot == 7, port < 3 * 1024 && port % 3 != 2) << port;
        ASSERT_LE(walk.steps, 2U + 8 + 4 + 1); // dispatch, 1,024 down to 4, those, the verdict
    }
}

TEST(FirewallGraph, RulesBehindOneThatTakesAllAreNotThere) {
    model::Config config;
    config.ingress.rules = {rule({}, std::nullopt, 1), rule({}, Verdict::kDrop, 2),
                            rule({one(Field::kTcpDport, 22)}, Verdict::kAccept, 3)};
    const Firewall f = compiled(config);

    // Sentinel, count, drop, and the egress policy.
    ASSERT_EQ(f.nodes.size(), 4U);
    EXPECT_EQ(test::walk(f.nodes, f.ingress_root, Facts{}), (Walk{false, 2, {1}, 0}));
}

TEST(FirewallGraph, NamesTheSetLookUpsThatRulesNeed) {
    model::Config config;
    config.sets["blocked"] = set("blocked", model::SetType::kIpv4Addr, {});
    config.sets["web"] = set("web", model::SetType::kInetService, {});
    EXPECT_EQ(compiled(config).set_uses, 0U);
    config.ingress.rules = {rule({in_set(Field::kIpSaddr, "blocked")}, Verdict::kDrop, 0)};
    config.egress.rules = {rule({in_set(Field::kUdpDport, "web")}, Verdict::kDrop, 1)};
    EXPECT_EQ(compiled(config).set_uses, SET_USE_SADDR | SET_USE_DPORT);
}

TEST(FirewallGraph, RefusesASetThatDoesNotExist) {
    model::Config config;
    config.ingress.rules = {rule({in_set(Field::kIpSaddr, "nobody")}, Verdict::kDrop, 0)};
    const auto f = compile_firewall(config, {});
    ASSERT_FALSE(f);
    EXPECT_EQ(f.error().message(), "set 'nobody' does not exist: create it with `weir set create`");
}

// ip saddr 10.x.x.x tcp dport { … } and the like, as people write them.
TEST(FirewallGraph, AThousandRealisticRulesFitWithRoomToSpare) {
    std::mt19937 random(1);
    model::Config config;
    for (std::uint32_t i = 0; i < 1000; i++) {
        const std::uint64_t net = 0x0a000000 + (random() & 0xffff00);
        const Match source = any_of(Field::kIpSaddr, {{{0, net}, {0, net + 255}}});
        const U128 net6{0x20010db800000000ULL + i, 0};
        const Match source6 = any_of(Field::kIp6Saddr, {{net6, {net6.hi, kMax64}}});
        Match ports = any_of(i % 2 ? Field::kTcpDport : Field::kUdpDport, {});
        for (std::uint64_t p = 0; p < 3; p++) {
            const std::uint64_t port = 2000 * p + random() % 1000;
            ports.values.push_back({{0, port}, {0, port + random() % 10}});
        }
        switch (i % 4) {
        case 0:
            config.ingress.rules.push_back(rule({source, ports}, Verdict::kAccept, i));
            break;
        case 1:
            config.ingress.rules.push_back(rule({source6, ports}, Verdict::kAccept, i));
            break;
        case 2:
            config.ingress.rules.push_back(rule({source}, Verdict::kDrop, i));
            break;
        case 3:
            config.ingress.rules.push_back(rule({ports}, Verdict::kAccept, i));
            break;
        }
    }
    const Firewall f = compiled(config);
    expect_sound(f);
    EXPECT_LT(f.nodes.size(), FW_NODES_DEFAULT / 8);
}

// 16,384 rules "ip saddr A drop": with lists by protocol they would not fit, so there are fewer
// lists.
TEST(FirewallGraph, ManyRulesGetFewerListsBeforeTheyAreRefused) {
    model::Config config;
    for (std::uint32_t i = 0; i < 16384; i++) {
        std::vector<Match> m{one(Field::kIpSaddr, 0x0a000000 + i)};
        if (i % 3 == 0) {
            m.push_back(one(Field::kTcpDport, 1 + i % 60000));
        }
        config.ingress.rules.push_back(rule(std::move(m), Verdict::kDrop, i));
    }
    const Firewall f = compiled(config);
    const Packet last{.saddr = {0, 0x0a000000 + 16382}};
    EXPECT_EQ(test::walk(f.nodes, f.ingress_root, facts(last, config)),
              (Walk{false, 16382, {}, 0}));
}

TEST(FirewallGraph, WhatDoesNotFitIsRefusedWithTheMend) {
    model::Config config;
    for (std::uint32_t i = 0; i < 1000; i++) { // two nodes each: port, verdict
        config.ingress.rules.push_back(rule({one(Field::kTcpDport, i)}, Verdict::kDrop, i));
    }
    // Sentinel, one policy for both chains, IPv4 and IPv6 and TCP told from the rest.
    EXPECT_EQ(compiled(config, 2048).nodes.size(), 2000U + 5);
    const auto refused = compile_firewall(config, {.nodes = 1024});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().message(),
              "2005 nodes of compiled rules: the limit is 1024; to raise it: `weir unload`, then "
              "`weir load --max-nodes 2048`");
}

TEST(FirewallGraph, WhatNeverFitsIsRefusedWithAnotherMend) {
    Match hosts = any_of(Field::kIp6Saddr, {});
    for (std::uint64_t i = 0; i < 100000; i++) {
        hosts.values.push_back({{i, 1}, {i, 1}});
    }
    model::Config config;
    config.ingress.rules = {rule({hosts}, Verdict::kDrop, 0)};
    const auto refused = compile_firewall(config, {});
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message().find(
                  " nodes of compiled rules: at most 131072 are possible; move long { } lists into "
                  "named sets, or use fewer rules"),
              std::string::npos)
        << refused.error().message();
}

// Random rules over few values, so that they meet one another, the packets, and every boundary.
class Dice {
public:
    explicit Dice(std::uint32_t seed) : random_(seed) {}

    std::uint64_t below(std::uint64_t n) { return random_() % n; }
    bool one_in(std::uint64_t n) { return below(n) == 0; }
    template <typename T, std::size_t N>
    T of(const T (&choices)[N]) {
        return choices[below(N)];
    }

    // A value for a field of this width: boundaries, and their neighbours.
    U128 number(int bits) {
        const std::uint64_t halves[] = {0,          1,     0x20010db800000000, 0x20010db800000001,
                                        kMax64 - 1, kMax64};
        if (bits == 128) {
            return {of(halves), of(halves)};
        }
        const std::uint64_t maximum = (std::uint64_t{1} << bits) - 1;
        const std::uint64_t numbers[] = {
            0,      1,      2,          5,           6,          7,
            17,     58,     80,         maximum / 2, maximum,    maximum - 1,
            0x0800, 0x86dd, 0x0a000001, 0x0806,      0x0a0000ff, below(maximum)};
        return {0, of(numbers) & maximum};
    }

    std::vector<Interval> intervals(int bits, std::size_t most) {
        std::vector<Interval> list;
        for (std::size_t n = 1 + below(most); n-- > 0;) {
            U128 a = number(bits);
            U128 b = one_in(2) ? a : number(bits);
            list.push_back({std::min(a, b), std::max(a, b)});
        }
        return model::merged(std::move(list));
    }

    Match match() {
        const auto fields = model::all_fields();
        const model::FieldInfo& info = fields[below(fields.size())];
        Match m = any_of(info.field, {});
        m.negated = one_in(3);
        if (info.set_fact >= 0 && one_in(2)) {
            const bool v6 = info.bits == 128;
            const bool port = info.bits == 16;
            m.set = (port ? "port" : v6 ? "six" : "four") + std::to_string(below(2));
        } else if (info.bits <= 16 && one_in(4)) {
            m.mask = 1 + below((1U << info.bits) - 2);
            for (std::size_t n = 1 + below(3); n-- > 0;) {
                const U128 v{0, number(info.bits).lo & (one_in(4) ? kMax64 : *m.mask)};
                m.values.push_back({v, v});
            }
        } else {
            m.values = intervals(info.bits, one_in(2) ? 1 : 12);
        }
        return m;
    }

    model::Config config() {
        model::Config config;
        for (const auto& [prefix, type, bits] :
             {std::tuple{"four", model::SetType::kIpv4Addr, 32},
              std::tuple{"six", model::SetType::kIpv6Addr, 128},
              std::tuple{"port", model::SetType::kInetService, 16}}) {
            for (int i = 0; i < 2; i++) {
                const std::string name = prefix + std::to_string(i);
                config.sets[name] = set(name, type, intervals(bits, 3));
            }
        }
        model::Slot slot = 0;
        for (model::Chain* chain : {&config.ingress, &config.egress}) {
            chain->policy = one_in(2) ? Verdict::kAccept : Verdict::kDrop;
            for (std::size_t n = below(20); n-- > 0;) {
                std::vector<Match> all;
                for (std::size_t m = one_in(30) ? 0 : 1 + below(3); m-- > 0;) {
                    all.push_back(match());
                }
                const std::optional<Verdict> verdicts[] = {Verdict::kAccept, Verdict::kDrop,
                                                           std::nullopt};
                chain->rules.push_back(rule(std::move(all), of(verdicts), slot++));
            }
        }
        return config;
    }

    Packet packet() {
        Packet p;
        p.ifname = number(128);
        p.ether_saddr = number(48).lo;
        p.ether_daddr = number(48).lo;
        const std::uint16_t types[] = {kIpv4, kIpv4, kIpv6, kIpv6, 0x0806, 0};
        p.ether_type = of(types);
        if (one_in(2)) {
            p.vlan = number(12).lo;
        }
        p.saddr = number(p.ether_type == kIpv4 ? 32 : 128);
        p.daddr = number(p.ether_type == kIpv4 ? 32 : 128);
        p.dscp = number(6).lo;
        const std::uint64_t protos[] = {6, 6, 17, 17, 1, 58, 47, 255, 0};
        p.l4proto = of(protos);
        p.later_fragment = one_in(5);
        p.frag_off = number(16).lo;
        p.sport = number(16).lo;
        p.dport = number(16).lo;
        p.flags = number(8).lo;
        p.type = number(8).lo;
        p.code = number(8).lo;
        return p;
    }

private:
    std::mt19937_64 random_;
};

TEST(FirewallGraph, AgreesWithTheRulesAsWritten) {
    std::size_t graphs = 0, by_rule = 0;
    for (std::uint32_t seed = 1; seed <= 1000; seed++) {
        Dice dice(seed);
        const model::Config config = dice.config();
        std::vector<Packet> packets(150);
        std::generate(packets.begin(), packets.end(), [&] { return dice.packet(); });

        // Once as it comes, then in every coarser form that a lower limit brings about.
        auto firewall = compile_firewall(config, {});
        ASSERT_TRUE(firewall) << firewall.error().message();
        while (firewall) {
            graphs++;
            expect_sound(*firewall);
            for (const Packet& p : packets) {
                const Facts f = facts(p, config);
                const Walk in = decide(config.ingress, p, config);
                ASSERT_EQ(test::walk(firewall->nodes, firewall->ingress_root, f), in)
                    << "seed " << seed;
                ASSERT_EQ(test::walk(firewall->nodes, firewall->egress_root, f),
                          decide(config.egress, p, config))
                    << "seed " << seed;
                by_rule += in.slot != FW_NO_SLOT;
            }
            const auto fewer = static_cast<std::uint32_t>(firewall->nodes.size() - 1);
            firewall = compile_firewall(config, {.nodes = fewer});
        }
    }
    // The dice are worth something: several forms a configuration, and rules that match.
    EXPECT_GT(graphs, 1500U);
    EXPECT_GT(by_rule, 100000U);
}

} // namespace
} // namespace weir::compile
