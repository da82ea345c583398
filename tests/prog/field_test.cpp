#include "prog/packets.h"

// Every field of a rule, on packets that match it and packets that do not: as `counter` rules, all
// in one chain, and each alone, that drops what it names or accepts it under the policy drop.
namespace weir::test {
namespace {

struct Case {
    std::string rule;
    std::vector<Octets> matches;
    std::vector<Octets> others;
};

// A packet that is IPv4 and one that is IPv6, with the same transport.
template <typename... L>
Octets v4(const L&... behind) {
    return frame(Ipv4{}, behind...);
}
template <typename... L>
Octets v6(const L&... behind) {
    return frame(Ipv6{}, behind...);
}

const Octets kArp = frame(Arp{});

std::vector<Case> link_rows() {
    const Octets plain = v4(Tcp{});
    const Octets other_macs =
        frame(Ether{.src = "0a:0b:0c:0d:0e:0f", .dst = "ff:ff:ff:ff:ff:ff"}, Ipv4{}, Tcp{});
    const Octets vlan5 = frame(Vlan{.id = 5}, Ipv4{}, Tcp{});
    const Octets vlan9 = frame(Vlan{.id = 9, .priority = 3}, Ipv6{}, Udp{});
    const Octets vlan4095 = frame(Vlan{.id = 4095}, Ipv6{}, Udp{});
    return {
        {"ether saddr 02:00:00:00:00:01", {plain, vlan5}, {other_macs}},
        {"ether saddr != 02:00:00:00:00:01", {other_macs}, {plain}},
        {"ether saddr { 0a:0b:0c:0d:0e:0f, 0a:0b:0c:0d:0e:10 }", {other_macs}, {plain}},
        {"ether daddr ff:ff:ff:ff:ff:ff", {other_macs}, {plain}},
        {"ether daddr 02:00:00:00:00:00-02:00:00:00:00:ff", {plain}, {other_macs}},
        {"ether type ip", {plain, vlan5}, {v6(Tcp{}), vlan9}},
        {"ether type ip6", {v6(Tcp{}), vlan9}, {plain}},
        {"ether type != ip", {v6(Tcp{}), frame(payload(46))}, {plain, vlan5}},
        {"ether type 0x88b5", {frame(payload(46)), frame(Vlan{}, payload(46))}, {plain}},
        {"vlan id 5", {vlan5, frame(Vlan{.id = 5}, Vlan{.id = 6}, Ipv4{}, Tcp{})}, {vlan9, plain}},
        // A tag must be there, as in nft.
        {"vlan id != 5", {vlan9}, {vlan5, plain}},
        {"vlan id 6-4095", {vlan9, vlan4095}, {vlan5, plain}},
        {"vlan id { 1-4, 9 }", {vlan9}, {vlan5, plain}},
    };
}

std::vector<Case> ipv4_rows() {
    const auto from = [](const char* src) { return frame(Ipv4{.src = src}, Udp{}); };
    const auto to = [](const char* dst) { return frame(Ipv4{.dst = dst}, Udp{}); };
    const auto tos = [](std::uint8_t tos) { return frame(Ipv4{.tos = tos}, Udp{}); };
    const Octets later = frame(Ipv4{.frag_offset = 185, .protocol = 6}, payload(40));
    const Octets whole = frame(Ipv4{.dont_fragment = true}, Udp{});
    const Octets first = frame(Ipv4{.more_fragments = true}, Udp{}, payload(8));
    const Octets ported = frame(Ipv4{.options = Octets(8, 1)}, Tcp{});
    return {
        {"ip saddr 10.1.2.3", {from("10.1.2.3")}, {from("10.1.2.4"), to("10.1.2.3"), v6(Udp{})}},
        {"ip saddr 10.0.0.0/8",
         {from("10.0.0.0"), from("10.255.255.255")},
         {from("9.255.255.255"), from("11.0.0.0"), kArp}},
        {"ip saddr != 10.0.0.0/8", {from("9.255.255.255")}, {from("10.0.0.1"), v6(Udp{})}},
        {"ip saddr 10.0.0.5-10.0.0.9",
         {from("10.0.0.5"), from("10.0.0.9")},
         {from("10.0.0.4"), from("10.0.0.10")}},
        {"ip saddr { 10.0.0.1, 192.0.2.0/24, 255.255.255.255 }",
         {from("10.0.0.1"), from("192.0.2.77"), from("255.255.255.255")},
         {from("10.0.0.2"), from("192.0.3.0"), from("0.0.0.0")}},
        {"ip saddr != { 10.0.0.1, 10.0.0.3 }",
         {from("10.0.0.2"), from("10.0.0.0")},
         {from("10.0.0.1"), from("10.0.0.3"), v6(Udp{})}},
        {"ip saddr 0.0.0.0/0", {from("0.0.0.0"), from("255.255.255.255")}, {v6(Udp{})}},
        {"ip saddr @friends",
         {from("10.9.0.1"), from("10.9.255.255")},
         {from("10.10.0.0"), v6(Udp{})}},
        {"ip saddr != @friends", {from("10.10.0.0")}, {from("10.9.0.1"), v6(Udp{})}},
        {"ip daddr 10.1.2.3", {to("10.1.2.3")}, {from("10.1.2.3"), v6(Udp{})}},
        {"ip daddr != 10.1.2.3", {to("10.1.2.4")}, {to("10.1.2.3"), kArp}},
        {"ip daddr @friends", {to("10.9.3.4")}, {from("10.9.3.4"), to("10.8.255.255")}},
        {"ip daddr @inner", {to("10.9.1.1")}, {to("10.9.1.2")}},     // one element within another's
        {"ip dscp ef", {tos(0xb8), tos(0xbb)}, {tos(0xb4), tos(0)}}, // ECN does not matter
        {"ip dscp != cs0", {tos(0x20)}, {tos(3), v6(Udp{})}},
        {"ip dscp { cs1, af11 }", {tos(0x20), tos(0x28)}, {tos(0x24)}},
        {"ip dscp 0x08-0x0f", {tos(0x20), tos(0x3c)}, {tos(0x40)}},
        {"ip frag-off & 0x1fff != 0", {later}, {whole, first, v6(Udp{})}},
        {"ip frag-off & 0x2000 != 0", {first}, {whole, later}},
        {"ip frag-off 0x4000", {whole}, {first, later}},
        {"ip frag-off != 0", {whole, first, later}, {from("10.0.0.1"), v6(Udp{})}},
        {"ip frag-off & 0x1fff 185", {later}, {first}},
        {"ip protocol tcp", {v4(Tcp{}), later, ported}, {v4(Udp{}), v6(Tcp{})}},
        {"ip protocol != tcp", {v4(Udp{})}, {v4(Tcp{}), v6(Udp{})}},
        {"ip protocol { icmp, 47 }",
         {v4(Icmp{}), frame(Ipv4{.protocol = 47}, payload(8))},
         {v4(Udp{})}},
    };
}

std::vector<Case> ipv6_rows() {
    const auto from = [](const char* src) { return frame(Ipv6{.src = src}, Udp{}); };
    const auto to = [](const char* dst) { return frame(Ipv6{.dst = dst}, Udp{}); };
    const auto tclass = [](std::uint8_t value) {
        return frame(Ipv6{.traffic_class = value, .flow_label = 0xfffff}, Udp{});
    };
    return {
        {"ip6 saddr 2001:db8::7", {from("2001:db8::7")}, {from("2001:db8::8"), v4(Udp{})}},
        {"ip6 saddr 2001:db8::/32",
         {from("2001:db8::"), from("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff")},
         {from("2001:db7:ffff::"), from("2001:db9::")}},
        {"ip6 saddr != 2001:db8::/32", {from("2001:db9::")}, {from("2001:db8::1"), v4(Udp{})}},
        {"ip6 saddr fd00::ffff:ffff:ffff:fffe-fd00::1:0:0:0:1",
         {from("fd00::ffff:ffff:ffff:fffe"), from("fd00::1:0:0:0:1"), from("fd00::1:0:0:0:0")},
         {from("fd00::ffff:ffff:ffff:fffd"), from("fd00::1:0:0:0:2"), from("fd00::2:0:0:0:0")}},
        {"ip6 saddr { ::1, fd00::/8, 2001:db8::5 }",
         {from("::1"), from("fdff::1"), from("2001:db8::5")},
         {from("::2"), from("fe00::"), from("2001:db8::6")}},
        {"ip6 saddr != { ::1, ::3 }", {from("::2")}, {from("::1"), from("::3"), v4(Udp{})}},
        {"ip6 saddr @friends6", {from("fd09::1")}, {from("fd0a::1"), v4(Udp{})}},
        {"ip6 saddr != @friends6", {from("fd0a::1")}, {from("fd09::1"), v4(Udp{})}},
        {"ip6 daddr ff02::1", {to("ff02::1")}, {to("ff02::2"), from("ff02::1")}},
        {"ip6 daddr != ff02::1", {to("ff02::2")}, {to("ff02::1"), v4(Udp{})}},
        {"ip6 daddr @friends6", {to("fd09::2")}, {from("fd09::2")}},
        {"ip6 dscp ef",
         {tclass(0xb8), tclass(0xba)},
         {tclass(0xb4), frame(Ipv4{.tos = 0xb8}, Udp{})}},
        {"ip6 dscp != 0x3f", {tclass(0)}, {tclass(0xfc), v4(Udp{})}},
        {"meta l4proto tcp", {v4(Tcp{}), v6(Tcp{}), v6(HopByHop{}, Tcp{})}, {v4(Udp{}), kArp}},
        {"meta l4proto != tcp", {v6(Udp{}), v4(Icmp{})}, {v6(Tcp{})}},
        {"meta l4proto { udp, ipv6-icmp }", {v4(Udp{}), v6(Icmpv6{})}, {v4(Tcp{}), kArp}},
        {"meta l4proto 6-17", {v4(Tcp{}), v6(Udp{})}, {v4(Icmp{})}},
        {"meta l4proto 59", {v6(payload(4))}, {v6(Udp{})}},
    };
}

std::vector<Case> transport_rows() {
    const auto flags = [](int value) { return v4(Tcp{.flags = static_cast<std::uint8_t>(value)}); };
    const Octets later4 = frame(Ipv4{.frag_offset = 9}, Tcp{.sport = 22, .dport = 22});
    const Octets later6 = v6(Fragment{.offset = 9}, Udp{.sport = 53, .dport = 53});
    return {
        {"tcp dport 22",
         {v4(Tcp{.dport = 22}), v6(Tcp{.dport = 22})},
         {v4(Udp{.dport = 22}), later4}},
        {"tcp dport != 22",
         {v4(Tcp{.dport = 23})},
         {v4(Tcp{.dport = 22}), v4(Udp{}), later4, kArp}},
        {"tcp dport 0", {v4(Tcp{.dport = 0})}, {v4(Tcp{}), later4}},
        {"tcp dport 65535", {v4(Tcp{.dport = 65535})}, {v4(Tcp{.dport = 65534})}},
        {"tcp dport { 22, 80-90 }",
         {v4(Tcp{.dport = 22}), v6(Tcp{.dport = 80}), v4(Tcp{.dport = 90})},
         {v4(Tcp{.dport = 21}), v4(Tcp{.dport = 79}), v4(Tcp{.dport = 91})}},
        {"tcp dport != { 22, 80-90 }", {v4(Tcp{.dport = 23})}, {v4(Tcp{.dport = 85}), v4(Udp{})}},
        {"tcp dport @web",
         {v4(Tcp{.dport = 443}), v6(Tcp{.dport = 8005})},
         {v4(Tcp{.dport = 444})}},
        {"tcp dport != @web", {v4(Tcp{.dport = 444})}, {v4(Tcp{.dport = 443}), v4(Udp{}), later4}},
        {"tcp sport 40000",
         {v4(Tcp{}), v6(Tcp{})},
         {v4(Tcp{.sport = 40001}), v4(Udp{}), v4(Tcp{.sport = 1, .dport = 40000}), later4}},
        {"tcp sport 1024-65535", {v4(Tcp{})}, {v4(Tcp{.sport = 1023}), v4(Udp{})}},
        {"tcp sport @web", {v4(Tcp{.sport = 443})}, {v4(Tcp{.dport = 443})}},
        {"udp dport 53", {v4(Udp{}), v6(Udp{})}, {v4(Tcp{.dport = 53}), later6}},
        {"udp dport != 53", {v6(Udp{.dport = 54})}, {v6(Udp{}), v4(Tcp{}), later6}},
        {"udp sport 53", {v6(Udp{.sport = 53})}, {v6(Udp{.dport = 53}), later6}},
        {"udp sport @web", {v6(Udp{.sport = 8000})}, {v6(Udp{.sport = 8010})}},
        {"udp dport @web", {v4(Udp{.dport = 443})}, {v4(Tcp{.dport = 443})}},
        {"tcp flags syn", {flags(kSyn), flags(kSyn | kAck)}, {flags(kAck), flags(0), v4(Udp{})}},
        {"tcp flags syn,ack", {flags(kSyn), flags(kAck)}, {flags(kRst), flags(0)}},
        {"tcp flags == syn", {flags(kSyn)}, {flags(kSyn | kAck), flags(kSyn | kEce)}},
        {"tcp flags != syn", {flags(kAck)}, {flags(kSyn), v4(Udp{})}},
        {"tcp flags & (syn | ack) == syn",
         {flags(kSyn), flags(kSyn | kPsh)},
         {flags(kSyn | kAck), flags(kAck), v4(Udp{})}},
        {"tcp flags & (fin | syn | rst | ack) != syn",
         {flags(kAck), flags(0)},
         {flags(kSyn), v4(Udp{})}},
        {"tcp flags syn / syn,rst", {flags(kSyn | kAck)}, {flags(kSyn | kRst)}},
        {"tcp flags ! fin,syn", {flags(kAck), flags(0)}, {flags(kFin), flags(kSyn), v4(Udp{})}},
        {"tcp flags { syn, syn | ack }", {flags(kSyn), flags(kSyn | kAck)}, {flags(kAck)}},
        {"tcp flags == 0x0", {flags(0)}, {flags(kAck), v4(Udp{})}},
        {"tcp flags == 0xff", {flags(0xff)}, {flags(0x7f)}},
        {"tcp flags cwr", {flags(kCwr)}, {flags(kEce)}},
        {"icmp type echo-request", {v4(Icmp{})}, {v4(Icmp{.type = 0}), v6(Icmpv6{}), v4(Udp{})}},
        {"icmp type != echo-request", {v4(Icmp{.type = 0})}, {v4(Icmp{}), v6(Icmpv6{.type = 1})}},
        {"icmp type { 0, 3-5 }", {v4(Icmp{.type = 4}), v4(Icmp{.type = 0})}, {v4(Icmp{.type = 8})}},
        {"icmp type destination-unreachable icmp code 4",
         {v4(Icmp{.type = 3, .code = 4})},
         {v4(Icmp{.type = 3, .code = 1}), v4(Icmp{.type = 11, .code = 4})}},
        {"icmp code 1",
         {v4(Icmp{.code = 1}), v4(Icmp{.type = 3, .code = 1})},
         {v4(Icmp{.type = 3, .code = 3}), v6(Icmpv6{.code = 1}), v4(Tcp{})}},
        {"icmp code != 0", {v4(Icmp{.code = 1})}, {v4(Icmp{}), v6(Icmpv6{.code = 1}), v4(Tcp{})}},
        {"icmpv6 type echo-request",
         {v6(Icmpv6{})},
         {v4(Icmp{.type = 128}), v6(Icmpv6{.type = 129})}},
        {"icmpv6 type != 128-129", {v6(Icmpv6{.type = 1})}, {v6(Icmpv6{.type = 129}), v4(Icmp{})}},
        {"icmpv6 code 3", {v6(Icmpv6{.type = 1, .code = 3})}, {v6(Icmpv6{}), v4(Icmp{.code = 3})}},
    };
}

std::vector<Case> joined_rows() {
    return {
        {"ip saddr 10.0.0.0/8 ip daddr 10.0.0.1 tcp dport 80 tcp flags syn",
         {frame(Ipv4{.src = "10.2.2.2", .dst = "10.0.0.1"}, Tcp{.flags = kSyn})},
         {frame(Ipv4{.src = "11.2.2.2", .dst = "10.0.0.1"}, Tcp{.flags = kSyn}),
          frame(Ipv4{.src = "10.2.2.2", .dst = "10.0.0.2"}, Tcp{.flags = kSyn}),
          frame(Ipv4{.src = "10.2.2.2", .dst = "10.0.0.1"}, Tcp{.dport = 81, .flags = kSyn}),
          frame(Ipv4{.src = "10.2.2.2", .dst = "10.0.0.1"}, Tcp{.flags = kAck})}},
        {"ip saddr @friends ip daddr @inner udp dport @web",
         {frame(Ipv4{.src = "10.9.7.7", .dst = "10.9.1.1"}, Udp{.dport = 443})},
         {frame(Ipv4{.src = "10.9.7.7", .dst = "10.9.1.2"}, Udp{.dport = 443}),
          frame(Ipv4{.src = "10.9.7.7", .dst = "10.9.1.1"}, Udp{.dport = 442})}},
        {"vlan id 5 ip6 daddr fd00::/8 icmpv6 type 128",
         {frame(Vlan{.id = 5}, Ipv6{.dst = "fd00::1"}, Icmpv6{})},
         {frame(Ipv6{.dst = "fd00::1"}, Icmpv6{}), frame(Vlan{.id = 5}, Ipv6{}, Icmpv6{})}},
    };
}

class Fields : public Packets {
protected:
    // ARP is filtered as well: it has none of the fields.
    static std::string yaml(const std::vector<Case>& rows, const std::string& then,
                            const std::string& policy = "accept") {
        std::string text = R"(
sets:
  friends: {type: ipv4_addr, elements: [10.9.0.0/16]}
  inner: {type: ipv4_addr, elements: [10.9.1.1]}
  friends6: {type: ipv6_addr, elements: ["fd09::/16"]}
  web: {type: inet_service, elements: [443, 8000-8009]}
firewall:
  packets: {arp: filter}
  ingress:
    policy: )" + policy + "\n    rules:\n";
        for (const Case& row : rows) {
            text += "      - '" + row.rule + " " + then + "'\n";
        }
        return text;
    }

    std::uint64_t hits_of(std::size_t index, const Octets& packet) {
        const std::uint64_t before = rule(index).packets;
        EXPECT_EQ(xdp(packet), pass());
        return rule(index).packets - before;
    }

    void check(const std::vector<Case>& rows) {
        apply(yaml(rows, "counter"));
        for (std::size_t i = 0; i < rows.size(); ++i) {
            SCOPED_TRACE(rows[i].rule);
            for (const Octets& packet : rows[i].matches) {
                EXPECT_EQ(hits_of(i, packet), 1U) << hex(packet);
            }
            for (const Octets& packet : rows[i].others) {
                EXPECT_EQ(hits_of(i, packet), 0U) << hex(packet);
            }
        }
        for (const Case& row : rows) {
            SCOPED_TRACE(row.rule);
            alone(row, "drop", "accept", drop(REASON_RULE), pass());
            alone(row, "accept", "drop", pass(), drop(REASON_POLICY));
        }
    }

    // The rule with a verdict, and no other rule.
    void alone(const Case& row, const char* then, const char* policy, Fate named, Fate other) {
        apply(yaml({row}, then, policy));
        const std::uint64_t before = rule(0).packets;
        for (const Octets& packet : row.matches) {
            EXPECT_EQ(xdp(packet), named) << hex(packet);
        }
        for (const Octets& packet : row.others) {
            EXPECT_EQ(xdp(packet), other) << hex(packet);
        }
        EXPECT_EQ(rule(0).packets - before, row.matches.size());
    }
};

TEST_F(Fields, OfTheLink) {
    check(link_rows());
}
TEST_F(Fields, OfIpv4) {
    check(ipv4_rows());
}
TEST_F(Fields, OfIpv6AndMeta) {
    check(ipv6_rows());
}
TEST_F(Fields, OfTransports) {
    check(transport_rows());
}
TEST_F(Fields, JoinedInOneRule) {
    check(joined_rows());
}

// The field's keyword begins some rule above, or is tested for an interface below.
TEST_F(Fields, AllOfThemAreTestedHere) {
    std::string rules;
    for (const auto& rows :
         {link_rows(), ipv4_rows(), ipv6_rows(), transport_rows(), joined_rows()}) {
        for (const Case& row : rows) {
            rules += row.rule + "\n";
        }
    }
    for (const model::FieldInfo& field : model::all_fields()) {
        if (field.field != model::Field::kIifname && field.field != model::Field::kOifname) {
            EXPECT_NE(rules.find(std::string(field.keyword)), std::string::npos) << field.keyword;
        }
    }
}

TEST_F(Fields, InterfaceNameOfAnInterfaceWithAnEntry) {
    apply(R"(
firewall:
  ingress:
    rules:
      - iifname "lo" counter
      - iifname "l*" counter
      - iifname != "lo" counter
      - iifname { "eth0", "veth*" } counter
      - iifname "lo2" counter
)");
    weir().add_interface(1, "lo", ROLE_BALANCER, 0);
    EXPECT_EQ(xdp(v4(Tcp{})), pass());
    const std::vector<std::uint64_t> hits{1, 1, 0, 0, 0};
    for (std::size_t i = 0; i < hits.size(); ++i) {
        EXPECT_EQ(rule(i).packets, hits[i]) << i;
    }
}

TEST_F(Fields, InterfaceWithoutAnEntryHasNoName) {
    apply(R"(
firewall:
  ingress: {rules: [iifname "lo" counter, iifname != "lo" counter, iifname "l*" counter]}
)");
    EXPECT_EQ(xdp(v4(Tcp{})), pass());
    EXPECT_EQ(rule(0).packets, 0U);
    EXPECT_EQ(rule(1).packets, 1U);
    EXPECT_EQ(rule(2).packets, 0U);
}

} // namespace
} // namespace weir::test
