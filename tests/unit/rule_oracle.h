#pragma once

#include <gtest/gtest.h>
#include <optional>
#include <string>
#include <vector>

#include "compile/images.h"
#include "graph_walk.h"

// What rules mean, told from a packet's headers and without the compiler's tables.
namespace weir::test {

using model::Field;
using model::Interval;
using model::Match;
using model::Rule;
using model::Verdict;

inline constexpr std::uint64_t kMax64 = ~std::uint64_t{0};
inline constexpr std::uint16_t kIpv4 = 0x0800;
inline constexpr std::uint16_t kIpv6 = 0x86dd;

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

inline std::optional<U128> number(bool there, U128 value) {
    return there ? std::optional(value) : std::nullopt;
}
inline std::optional<U128> number(bool there, std::uint64_t value) {
    return number(there, U128{0, value});
}

// The field's value; none without its header.
inline std::optional<U128> value(Field field, const Packet& p) {
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

inline bool lies_in(const std::vector<Interval>& intervals, U128 n) {
    for (const Interval& i : intervals) {
        if (i.first <= n && n <= i.last) {
            return true;
        }
    }
    return false;
}

inline bool matches(const Match& match, const Packet& p, const model::Config& config) {
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

inline Walk decide(const model::Chain& chain, const Packet& p, const model::Config& config) {
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

inline std::uint64_t sets_with(const model::Config& config, model::SetType type, U128 n) {
    std::uint64_t bits = 0, bit = 1;
    for (const auto& [name, set] : config.sets) {
        bits |= set.type == type && lies_in(set.elements, n) ? bit : 0;
        bit <<= 1;
    }
    return bits;
}

inline packet_kind kind(const Packet& p) {
    if (!p.ip()) {
        return KIND_NOT_IP;
    }
    const bool v4 = p.ether_type == kIpv4;
    if (p.transport(6)) {
        return v4 ? KIND_IPV4_TCP : KIND_IPV6_TCP;
    }
    if (p.transport(17)) {
        return v4 ? KIND_IPV4_UDP : KIND_IPV6_UDP;
    }
    if (p.transport(v4 ? 1 : 58)) {
        return v4 ? KIND_IPV4_ICMP : KIND_IPV6_ICMP;
    }
    return v4 ? KIND_IPV4_OTHER : KIND_IPV6_OTHER;
}

inline facts facts_of(const Packet& p, const model::Config& config) {
    facts f{};
    f.packet.kind = kind(p);
    f.ifname_hi = p.ifname.hi;
    f.ifname_lo = p.ifname.lo;
    f.ether_saddr = p.ether_saddr;
    f.ether_daddr = p.ether_daddr;
    f.packet.ether_type = p.ether_type;
    f.packet.vlan = p.vlan ? static_cast<std::uint16_t>(VLAN_PRESENT | *p.vlan) : 0;
    f.packet.l4proto = f.packet.transport = L4PROTO_NONE;
    // Ports are looked up whatever the packet: absent ones as port 0.
    const bool ports = p.transport(6) || p.transport(17);
    f.packet.sport = static_cast<std::uint16_t>(ports ? p.sport : 0);
    f.packet.dport = static_cast<std::uint16_t>(ports ? p.dport : 0);
    f.sport_sets = sets_with(config, model::SetType::kInetService, {0, f.packet.sport});
    f.dport_sets = sets_with(config, model::SetType::kInetService, {0, f.packet.dport});
    if (!p.ip()) {
        return f;
    }
    f.packet.saddr_hi = p.saddr.hi;
    f.packet.saddr_lo = p.saddr.lo;
    f.packet.daddr_hi = p.daddr.hi;
    f.packet.daddr_lo = p.daddr.lo;
    f.packet.tos = static_cast<std::uint8_t>(p.dscp << 2 | 3); // ECN is no part of the fact
    f.packet.frag_off = static_cast<std::uint16_t>(p.ether_type == kIpv4 ? p.frag_off : 0);
    f.packet.l4proto = static_cast<std::uint16_t>(p.l4proto);
    const auto addresses =
        p.ether_type == kIpv4 ? model::SetType::kIpv4Addr : model::SetType::kIpv6Addr;
    f.saddr_sets = sets_with(config, addresses, p.saddr);
    f.daddr_sets = sets_with(config, addresses, p.daddr);
    if (p.later_fragment) {
        return f;
    }
    f.packet.transport = f.packet.l4proto;
    if (p.transport(6)) {
        f.packet.tcp_flags = static_cast<std::uint8_t>(p.flags);
    }
    if (p.transport(1) || p.transport(58)) {
        f.packet.icmp_type = static_cast<std::uint8_t>(p.type);
        f.packet.icmp_code = static_cast<std::uint8_t>(p.code);
    }
    return f;
}

inline Match any_of(Field field, std::vector<Interval> values) {
    Match m;
    m.field = field;
    m.braces = values.size() > 1;
    m.values = std::move(values);
    return m;
}

inline Match one(Field field, std::uint64_t value) {
    return any_of(field, {{{0, value}, {0, value}}});
}

inline Match in_set(Field field, const std::string& name) {
    Match m;
    m.field = field;
    m.set = name;
    return m;
}

inline model::Set set(const std::string& name, model::SetType type,
                      std::vector<Interval> elements) {
    return {name, type, "", std::move(elements)};
}

inline Rule rule(std::vector<Match> matches, std::optional<Verdict> verdict, model::Slot slot) {
    Rule r;
    r.matches = std::move(matches);
    r.verdict = verdict;
    r.counter = !verdict;
    r.slot = slot;
    return r;
}

// What maps/firewall.h promises of every image.
inline void expect_sound(const compile::Firewall& f) {
    const auto size = static_cast<std::uint32_t>(f.nodes.size());
    for (const auto& roots : {f.ingress, f.egress}) {
        for (const std::uint32_t root : roots) {
            EXPECT_GT(root, 0U);
            EXPECT_TRUE(root < size || root == FW_POLICY_ACCEPT || root == FW_POLICY_DROP) << root;
        }
    }
    EXPECT_EQ(f.nodes[0].mask, 0U);
    EXPECT_EQ(f.nodes[0].span, FW_DROP);
    EXPECT_EQ(f.nodes[0].no, FW_NO_SLOT);
    for (std::uint32_t i = 1; i < size; i++) {
        const fw_node& n = f.nodes[i];
        const std::uint32_t yes = n.word_yes & FW_INDEX_MASK;
        const bool test = n.mask != 0;
        if (test) {
            EXPECT_LT(n.word_yes >> FW_WORD_SHIFT, FACT_WORDS);
            EXPECT_GT(n.no, i);
            EXPECT_LT(n.no, size);
        } else {
            EXPECT_LE(n.span, FW_DROP);
        }
        if (test || n.span == FW_COUNT) {
            EXPECT_GT(yes, i);
            EXPECT_LT(yes, size);
        } else {
            EXPECT_EQ(n.word_yes, 0U);
        }
    }
}

} // namespace weir::test
