#include "prog/packets.h"

#include <gmock/gmock.h>

#include <cstring>

// The TC programs: ingress where no XDP program is attached, and egress.
namespace weir::test {
namespace {

class Tc : public Packets {
protected:
    void SetUp() override {
        Packets::SetUp();
        apply(R"(
firewall:
  ingress: {rules: [tcp dport 23 drop, vlan id 5 drop]}
  egress: {policy: accept, rules: [udp dport 53 drop, ip daddr 192.0.2.66 drop]}
)");
    }
};

TEST_F(Tc, IngressWithoutXdpRunsTheIngressChain) {
    EXPECT_EQ(tc_ingress(frame(Ipv4{}, Tcp{.dport = 23})), drop(REASON_RULE));
    EXPECT_EQ(tc_ingress(frame(Ipv6{}, HopByHop{}, Tcp{.dport = 23})), drop(REASON_RULE));
    EXPECT_EQ(tc_ingress(frame(Ipv4{}, Udp{})), pass());
    EXPECT_EQ(tc_ingress(frame(Vlan{.id = 5}, Ipv4{}, Udp{})), drop(REASON_RULE));
    EXPECT_EQ(rule(0).packets, 2U);
}

TEST_F(Tc, IngressBesideXdpJudgesWhatXdpSaysNothingOf) {
    weir().add_interface(kLoopback, "lo", ROLE_BALANCER, 1U << HOOK_XDP | 1U << HOOK_TC_INGRESS);
    EXPECT_EQ(tc_ingress(frame(Ipv4{}, Tcp{.dport = 23}), {.ifindex = kLoopback}),
              drop(REASON_RULE));
    EXPECT_EQ(rule(0).packets, 1U);
}

// What was said so is believed: tests/netns/test_hooks.py.
TEST_F(Tc, XdpTellsIngressWhatItJudged) {
    struct {
        std::uint32_t magic, judged_on, to[6];
    } record{};
    const Octets packet = frame(Ipv4{}, Udp{});
    EXPECT_EQ(weir().run(kernel::Program::kIngress, packet, {}).metadata, Octets{});
    forget(HOOK_XDP);

    weir().add_interface(kLoopback, "lo", ROLE_BALANCER, 1U << HOOK_XDP | 1U << HOOK_TC_INGRESS);
    const Answer told = weir().run(kernel::Program::kIngress, packet, {});
    forget(HOOK_XDP);

    ASSERT_EQ(told.metadata.size(), sizeof record);
    std::memcpy(&record, told.metadata.data(), sizeof record);
    EXPECT_EQ(record.judged_on, kLoopback);
    EXPECT_THAT(record.to, testing::Each(0U));
    EXPECT_EQ(hex(told.output), hex(packet));
}

TEST_F(Tc, EgressRunsTheEgressChain) {
    EXPECT_EQ(tc_egress(frame(Ipv4{}, Udp{.dport = 53})), drop(REASON_RULE));
    EXPECT_EQ(tc_egress(frame(Ipv4{.dst = "192.0.2.66"}, Icmp{})), drop(REASON_RULE));
    EXPECT_EQ(tc_egress(frame(Ipv4{}, Tcp{.dport = 23})), pass());
    EXPECT_EQ(egress_rule(0).packets, 1U);
    EXPECT_EQ(egress_rule(1).packets, 1U);
    EXPECT_EQ(rule(0).packets, 0U);
}

TEST_F(Tc, EgressPolicyDrops) {
    apply("firewall: {egress: {policy: drop, rules: [tcp sport 22 accept]}}");
    EXPECT_EQ(tc_egress(frame(Ipv4{}, Tcp{.sport = 22})), pass());
    EXPECT_EQ(tc_egress(frame(Ipv4{}, Tcp{.sport = 23})), drop(REASON_POLICY));
    EXPECT_EQ(tc_egress(frame(Arp{})), pass());
    EXPECT_EQ(tc_ingress(frame(Ipv4{}, Tcp{.sport = 23})), pass());
}

TEST_F(Tc, EgressKnowsTheInterfaceThatItLeavesBy) {
    apply(R"(firewall: {egress: {rules: [oifname "lo" drop]}})");
    EXPECT_EQ(tc_egress(frame(Ipv4{}, Udp{})), pass()); // without an entry it has no name
    weir().add_interface(kLoopback, "lo", ROLE_BALANCER, 1U << HOOK_TC_EGRESS);
    EXPECT_EQ(tc_egress(frame(Ipv4{}, Udp{})), drop(REASON_RULE));
}

TEST_F(Tc, ServicesAreNoAffairOfTc) {
    apply(R"(
lb:
  source: 10.99.0.1
  gateway: 02:00:00:00:00:99
  services: [{vip: 203.0.113.10:80/tcp, backends: [10.0.2.2]}]
)");
    EXPECT_EQ(tc_ingress(frame(Ipv4{.dst = "203.0.113.10"}, Tcp{})), pass());
    EXPECT_EQ(tc_egress(frame(Ipv4{.dst = "203.0.113.10"}, Tcp{})), pass());
    EXPECT_EQ(service(0).packets, 0U);
}

TEST_F(Tc, BrokenPacketsAreDroppedForTheSameReasons) {
    const std::pair<Octets, reason> broken[] = {
        {frame(Ipv4{.header_words = 4}, Tcp{}), REASON_BAD_IP_HEADER},
        {frame(Ipv4{.version = 7}, Tcp{}), REASON_BAD_IP_VERSION},
        {frame(Ipv4{.total_length = 99}, Tcp{}), REASON_BAD_LENGTH},
        {frame(Ipv4{}, Tcp{.data_offset = 1}), REASON_BAD_TCP_HEADER},
        {frame(Ipv4{.protocol = 6}, payload(10)), REASON_TRUNCATED},
        {frame(Ipv4{.frag_offset = 1, .protocol = 6}, payload(10)), REASON_TINY_FRAGMENT},
        {frame(Ipv6{}, Routing{.segments_left = 3}, Tcp{}), REASON_ROUTING_HEADER},
        {frame(Ipv6{}, DestOpts{}, DestOpts{}, DestOpts{}, DestOpts{}, DestOpts{}, DestOpts{},
               DestOpts{}, DestOpts{}, DestOpts{}, Tcp{}),
         REASON_EXTENSION_CHAIN},
        {frame(Vlan{}, Vlan{}, Vlan{}, Ipv4{}, Tcp{}), REASON_VLAN_DEPTH},
    };
    for (const auto& [packet, why] : broken) {
        EXPECT_EQ(tc_ingress(packet), drop(why));
        EXPECT_EQ(tc_egress(packet), drop(why));
    }
}

TEST_F(Tc, EveryPrefixOfAPacketHasAVerdict) {
    // With the place where the fixed part of the IP header ends: behind it, it is its length field
    // that contradicts the frame.
    const std::pair<Octets, std::size_t> packets[] = {
        {frame(Ipv4{.options = Octets(8, 1)}, Tcp{}), 14 + 20},
        {frame(Vlan{}, Vlan{}, Ipv6{}, HopByHop{}, Fragment{}, Udp{.dport = 54}), 14 + 8 + 40}};
    for (const auto& [packet, fixed] : packets) {
        for (std::size_t length = 14; length < packet.size(); ++length) {
            const auto fate = try_run(kernel::Program::kTcEgress, first(length, packet), {});
            // Some kernels refuse to make an skb of a cut IP header.
            EXPECT_TRUE(fate || length < fixed) << length;
            if (fate) {
                EXPECT_EQ(*fate, drop(length < fixed ? REASON_TRUNCATED : REASON_BAD_LENGTH))
                    << length;
            }
        }
        EXPECT_EQ(tc_egress(packet), pass());
    }
}

// "BIG TCP": above 64 KiB the kernel writes length 0 into what it will segment.
TEST_F(Tc, LengthZeroIsTheKernelsOwnOnlyWhereItWillSegment) {
    const Octets v4 = frame(Ipv4{.total_length = 0}, Tcp{.dport = 80}, payload(2000));
    const Octets v6 = frame(Ipv6{.payload_length = 0}, Tcp{.dport = 80}, payload(2000));
    EXPECT_EQ(tc_egress(v4), drop(REASON_BAD_LENGTH));
    EXPECT_EQ(tc_egress(v6), drop(REASON_TRUNCATED));
    EXPECT_EQ(tc_egress(v4, {.gso_size = 1400}), pass());
    EXPECT_EQ(tc_egress(v6, {.gso_size = 1400}), pass());
}

// As large as BPF_PROG_TEST_RUN makes an skb.
TEST_F(Tc, LargeFrameIsJudgedByItsHeaders) {
    EXPECT_EQ(tc_ingress(frame(Ipv4{}, Tcp{.dport = 23}, payload(3000))), drop(REASON_RULE));
    EXPECT_EQ(tc_egress(frame(Ipv4{}, Udp{.dport = 53}, payload(3000))), drop(REASON_RULE));
    EXPECT_EQ(tc_ingress(frame(Ipv4{}, Tcp{.dport = 24}, payload(3000))), pass());
}

} // namespace
} // namespace weir::test
