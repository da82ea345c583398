#include "prog/packets.h"

namespace weir::test {
namespace {

class Rules : public Packets {};

TEST_F(Rules, FirstMatchWins) {
    apply(R"(
firewall:
  ingress:
    policy: drop
    rules:
      - ip saddr 10.0.0.1 accept
      - ip saddr 10.0.0.0/8 drop
      - ip saddr 10.0.0.2 accept
      - tcp dport 80 accept
)");
    EXPECT_EQ(xdp(frame(Ipv4{.src = "10.0.0.1"}, Udp{})), pass());
    EXPECT_EQ(xdp(frame(Ipv4{.src = "10.0.0.2"}, Tcp{})), drop(REASON_RULE));
    EXPECT_EQ(xdp(frame(Ipv4{.src = "11.0.0.2"}, Tcp{})), pass());
    EXPECT_EQ(xdp(frame(Ipv4{.src = "11.0.0.2"}, Tcp{.dport = 81})), drop(REASON_POLICY));
    EXPECT_EQ(rule(0).packets, 1U);
    EXPECT_EQ(rule(1).packets, 1U);
    EXPECT_EQ(rule(2).packets, 0U);
    EXPECT_EQ(rule(3).packets, 1U);
}

TEST_F(Rules, HitsAreCountedInPacketsAndOctetsOfTheFrame) {
    apply("firewall: {ingress: {rules: [tcp dport 80 counter, ip saddr 0.0.0.0/0 accept]}}");
    const Octets small = frame(Ipv4{}, Tcp{}), large = frame(Ipv4{}, Tcp{}, payload(1000));

    EXPECT_EQ(xdp(small), pass());
    EXPECT_EQ(xdp(large), pass());
    for (const std::size_t i : {0U, 1U}) {
        EXPECT_EQ(rule(i).packets, 2U);
        EXPECT_EQ(rule(i).bytes, small.size() + large.size());
    }
}

TEST_F(Rules, AThousandRulesAreWalkedToTheLast) {
    std::string yaml = "firewall:\n  ingress:\n    rules:\n";
    for (int i = 0; i < 1000; ++i) {
        yaml += "      - ip saddr 10." + std::to_string(i / 250) + "." + std::to_string(i % 250) +
                ".0/24 tcp dport " + std::to_string(1000 + i) + " drop\n";
    }
    apply(yaml);

    EXPECT_EQ(xdp(frame(Ipv4{.src = "10.3.249.7"}, Tcp{.dport = 1999})), drop(REASON_RULE));
    EXPECT_EQ(xdp(frame(Ipv4{.src = "10.3.249.7"}, Tcp{.dport = 1998})), pass());
    EXPECT_EQ(xdp(frame(Ipv4{.src = "10.0.0.7"}, Tcp{.dport = 1000})), drop(REASON_RULE));
    EXPECT_EQ(rule(999).packets, 1U);
    EXPECT_EQ(rule(0).packets, 1U);
}

TEST_F(Rules, SetChangesReachThePacketPath) {
    const auto with = [](const std::string& elements) {
        return "sets: {bad: {type: ipv4_addr, elements: [" + elements +
               "]}}\nfirewall: {ingress: {rules: ['ip saddr @bad drop']}}\n";
    };
    const Octets packet = frame(Ipv4{.src = "10.0.0.7"}, Udp{});
    apply(with(""));
    EXPECT_EQ(xdp(packet), pass());
    apply(with("10.0.0.0/24"));
    EXPECT_EQ(xdp(packet), drop(REASON_RULE));
    apply(with("10.0.0.0-10.0.0.6, 10.0.0.8"));
    EXPECT_EQ(xdp(packet), pass());
    EXPECT_EQ(rule(0).packets, 1U); // the rule is the same one all along
}

TEST_F(Rules, ElementsOfManySetsOverlapWithoutHidingOneAnother) {
    std::string yaml = "sets:\n", rules;
    for (int i = 0; i < 16; ++i) {
        const std::string name = "s" + std::to_string(i);
        yaml += "  " + name + ": {type: ipv4_addr, elements: [10.0.0.0/" + std::to_string(8 + i) +
                "]}\n";
        rules += "      - ip saddr @" + name + " counter\n";
    }
    apply(yaml + "firewall:\n  ingress:\n    rules:\n" + rules);

    EXPECT_EQ(xdp(frame(Ipv4{.src = "10.0.0.1"}, Udp{})), pass());   // in all
    EXPECT_EQ(xdp(frame(Ipv4{.src = "10.128.0.1"}, Udp{})), pass()); // in /8 alone
    EXPECT_EQ(xdp(frame(Ipv4{.src = "10.1.0.1"}, Udp{})), pass());   // in /8 to /15
    for (std::size_t i = 0; i < 16; ++i) {
        EXPECT_EQ(rule(i).packets, 1U + (i < 1) + (i < 8)) << i;
    }
}

TEST_F(Rules, CountersSurviveAChangeOfTheOthers) {
    apply("firewall: {ingress: {rules: [tcp dport 22 drop, tcp dport 23 drop]}}");
    EXPECT_EQ(xdp(frame(Ipv4{}, Tcp{.dport = 23})), drop(REASON_RULE));
    apply("firewall: {ingress: {rules: [udp dport 9 drop, tcp dport 23 drop]}}");
    EXPECT_EQ(xdp(frame(Ipv4{}, Tcp{.dport = 23})), drop(REASON_RULE));
    EXPECT_EQ(xdp(frame(Ipv4{}, Tcp{.dport = 22})), pass());
    EXPECT_EQ(rule(0).packets, 0U);
    EXPECT_EQ(rule(1).packets, 2U);
}

// --- packet classes ---

struct ClassCase {
    packet_class which;
    reason why;
    Octets packet;
};

class PacketClasses : public Packets, public ::testing::WithParamInterface<ClassCase> {
protected:
    void with(const char* action, const char* policy) {
        // The class under test alone decides; a routing header is an extension header too.
        apply(std::string("firewall:\n  ingress: {policy: ") + policy + "}\n  packets: {" +
              std::string(model::name(GetParam().which)) + ": " + action + "}\n");
    }
};

TEST_P(PacketClasses, FilterLetsTheRulesDecide) {
    with("filter", "accept");
    EXPECT_EQ(xdp(GetParam().packet), pass());
    with("filter", "drop");
    EXPECT_EQ(xdp(GetParam().packet), drop(REASON_POLICY));
    EXPECT_EQ(seen(GetParam().which), 2U);
}

TEST_P(PacketClasses, AcceptAsksNoRule) {
    with("accept", "drop");
    EXPECT_EQ(xdp(GetParam().packet), pass());
    EXPECT_EQ(seen(GetParam().which), 1U);
}

TEST_P(PacketClasses, DropAsksNoRuleEither) {
    with("drop", "accept");
    EXPECT_EQ(xdp(GetParam().packet), drop(GetParam().why));
    EXPECT_EQ(seen(GetParam().which), 1U);
}

TEST_P(PacketClasses, OrdinaryPacketIsOfNoClass) {
    with("drop", "accept");
    EXPECT_EQ(xdp(frame(Ipv4{}, Tcp{})), pass());
    EXPECT_EQ(xdp(frame(Ipv6{}, Udp{})), pass());
    EXPECT_EQ(seen(GetParam().which), 0U);
}

INSTANTIATE_TEST_SUITE_P(
    Each, PacketClasses,
    ::testing::Values(ClassCase{CLASS_ARP, REASON_ARP, frame(Arp{})},
                      ClassCase{CLASS_NEIGHBOUR_DISCOVERY, REASON_NEIGHBOUR_DISCOVERY,
                                frame(Ipv6{.hop_limit = 255}, Icmpv6{.type = 135}, payload(16))},
                      ClassCase{CLASS_IPV4_OPTIONS, REASON_IPV4_OPTIONS,
                                frame(Ipv4{.options = Octets(4, 1)}, Tcp{})},
                      ClassCase{CLASS_IPV6_EXTENSIONS, REASON_IPV6_EXTENSIONS,
                                frame(Ipv6{}, HopByHop{}, Tcp{})},
                      ClassCase{CLASS_ROUTING_HEADER, REASON_ROUTING_HEADER,
                                frame(Ipv6{}, Routing{.segments_left = 1}, Tcp{})},
                      ClassCase{CLASS_FRAGMENT, REASON_FRAGMENT,
                                frame(Ipv4{.more_fragments = true}, Tcp{}, payload(8))}),
    [](const auto& info) {
        std::string name(model::name(info.param.which));
        name.erase(std::remove(name.begin(), name.end(), '-'), name.end());
        return name;
    });

class ClassesTogether : public Packets {};

TEST_F(ClassesTogether, DropOfOneOverrulesAcceptOfAnother) {
    const Octets both =
        frame(Ipv4{.more_fragments = true, .options = Octets(4, 1)}, Tcp{}, payload(8));
    apply("firewall: {packets: {ipv4-options: accept, fragment: drop}}");
    EXPECT_EQ(xdp(both), drop(REASON_FRAGMENT));
    apply("firewall: {packets: {ipv4-options: drop, fragment: accept}}");
    EXPECT_EQ(xdp(both), drop(REASON_IPV4_OPTIONS));
}

} // namespace
} // namespace weir::test
