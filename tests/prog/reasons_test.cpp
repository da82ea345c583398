#include "prog/packets.h"

#include <map>

// One packet for each reason that drops, and for the other reasons where they are met.
namespace weir::test {
namespace {

constexpr const char* kConfiguration = R"(
firewall:
  ingress: {policy: drop, rules: [tcp dport 23 drop, "ip daddr 203.0.113.0/24 accept"]}
  packets:
    arp: drop
    neighbour-discovery: drop
    ipv4-options: drop
    ipv6-extensions: drop
    routing-header: drop
lb:
  gateway: 02:00:00:00:00:99
  services:
    - {vip: 203.0.113.10:80/tcp}
    - {vip: 203.0.113.11:80/tcp, backends: [10.0.2.2]}
)";

const std::map<reason, Octets> kDrops{
    {REASON_POLICY, frame(Ipv4{}, Udp{})},
    {REASON_RULE, frame(Ipv4{}, Tcp{.dport = 23})},
    {REASON_ARP, frame(Arp{})},
    {REASON_NEIGHBOUR_DISCOVERY, frame(Ipv6{.hop_limit = 255}, Icmpv6{.type = 136})},
    {REASON_IPV4_OPTIONS, frame(Ipv4{.options = Octets(4, 1)}, Udp{})},
    {REASON_IPV6_EXTENSIONS, frame(Ipv6{}, DestOpts{}, Udp{})},
    {REASON_TRUNCATED, frame(Ipv4{.protocol = 6})},
    {REASON_SPLIT_HEADERS, frame(Ipv6{}, DestOpts{.options = Octets(2046, 0)},
                                 DestOpts{.options = Octets(2046, 0)}, Udp{})},
    {REASON_VLAN_DEPTH, frame(Vlan{}, Vlan{}, Vlan{}, payload(46))},
    {REASON_BAD_IP_VERSION, frame(Ipv4{.version = 5}, Udp{})},
    {REASON_BAD_IP_HEADER, frame(Ipv4{.header_words = 4}, Udp{})},
    {REASON_BAD_LENGTH, frame(Ipv4{}, Udp{.length = 100})},
    {REASON_BAD_TCP_HEADER, frame(Ipv4{}, Tcp{.data_offset = 4})},
    {REASON_EXTENSION_CHAIN,
     frame(Ipv6{}, DestOpts{}, DestOpts{}, DestOpts{}, DestOpts{}, DestOpts{}, DestOpts{},
           DestOpts{}, DestOpts{}, DestOpts{}, Udp{})},
    {REASON_TINY_FRAGMENT, frame(Ipv4{.more_fragments = true, .protocol = 6}, payload(8))},
    {REASON_VIP_FRAGMENT, frame(Ipv4{.dst = "203.0.113.10", .frag_offset = 9}, payload(8))},
    {REASON_NO_BACKEND, frame(Ipv4{.dst = "203.0.113.10"}, Tcp{})},
    {REASON_NO_SOURCE, frame(Ipv4{.dst = "203.0.113.11"}, Tcp{})},
};

// Reasons without a packet above.
const std::map<reason, const char*> kElsewhere{
    {REASON_ROUTING_HEADER, "Ipv6Parser, PacketClasses: here ipv6-extensions drops it first"},
    {REASON_FRAGMENT, "PacketClasses: here fragments are filtered"},
    {REASON_NO_GENERATION, "of a pass: Link.UnloadedConfigurationPassesEverything"},
    {REASON_CLASSIFIER, "below: only of damaged maps"},
    {REASON_ECHO, "of a packet sent: Echo"},
    {REASON_SERVICE, "of a packet sent or redirected: Tunnel, NextHop"},
    {REASON_NO_ROUTE, "NextHop: needs a routing table"},
    {REASON_FORWARDING_OFF, "NextHop"},
    {REASON_NOT_ON_LINK, "NextHop"},
    {REASON_NEIGHBOUR_UNKNOWN, "of a pass: NextHop"},
    {REASON_TOO_BIG, "Tunnel, NextHop"},
    {REASON_NO_HEADROOM, "below, where the kernel takes that much metadata"},
    {REASON_NO_XDP_SEND, "NextHop"},
    {REASON_ALREADY_JUDGED, "counted by XDP: tests/netns/test_hooks.py"},
};

class Reasons : public Packets {};

TEST_F(Reasons, EveryOneHasItsPacketOrItsPlace) {
    for (int i = 0; i < REASON_COUNT; ++i) {
        const auto why = static_cast<reason>(i);
        EXPECT_EQ(kDrops.count(why) + kElsewhere.count(why), 1U) << model::name(why);
    }
}

TEST_F(Reasons, EachPacketIsDroppedForItsOwn) {
    apply(kConfiguration);
    for (const auto& [why, packet] : kDrops) {
        EXPECT_EQ(xdp(packet), drop(why));
    }
}

TEST_F(Reasons, DamagedRulesDropEverything) {
    apply("firewall: {ingress: {rules: [udp dport 53 drop]}, egress: {rules: [udp dport 53 drop]}}");
    weir().lose_rules();
    EXPECT_EQ(xdp(frame(Ipv4{}, Udp{})), drop(REASON_CLASSIFIER));
    EXPECT_EQ(tc_ingress(frame(Ipv4{}, Udp{})), drop(REASON_CLASSIFIER));
    EXPECT_EQ(tc_egress(frame(Ipv4{}, Udp{})), drop(REASON_CLASSIFIER));
    // Whole again with the next configuration.
    apply("firewall: {ingress: {rules: [tcp dport 23 drop]}}");
    EXPECT_EQ(xdp(frame(Ipv4{}, Udp{})), pass());
}

TEST_F(Reasons, FrameWithoutRoomForTheOuterHeaderIsDropped) {
    apply(R"(
lb:
  source: 10.99.0.1
  gateway: 02:00:00:00:00:99
  services: [{vip: 203.0.113.10:80/tcp, backends: [10.0.2.2]}]
)");
    const Octets packet = frame(Ipv4{.dst = "203.0.113.10"}, Tcp{});
    // The frame has 256 octets in front, of which the kernel keeps some for itself.
    const auto fate = try_run(kernel::Program::kIngress, packet, {.metadata = 208});
    if (!fate) {
        GTEST_SKIP() << "this kernel takes 32 octets of metadata at most";
    }
    EXPECT_EQ(*fate, drop(REASON_NO_HEADROOM));
    EXPECT_EQ(service(0).dropped, 1U);
    EXPECT_EQ(xdp(packet, {.metadata = 16}), sent());
}

} // namespace
} // namespace weir::test
