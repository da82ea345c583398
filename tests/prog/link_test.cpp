#include "prog/packets.h"

namespace weir::test {
namespace {

class Link : public Packets {};

TEST_F(Link, PlainPacketPassesByPolicy) {
    EXPECT_EQ(xdp(frame(Ipv4{}, Tcp{})), pass());
    EXPECT_EQ(output(), frame(Ipv4{}, Tcp{}));
}

TEST_F(Link, DropPolicyDropsWhatNoRuleTakes) {
    apply("firewall: {ingress: {policy: drop, rules: [tcp dport 22 accept]}}");

    EXPECT_EQ(xdp(frame(Ipv4{}, Tcp{.dport = 22})), pass());
    EXPECT_EQ(xdp(frame(Ipv4{}, Tcp{.dport = 23})), drop(REASON_POLICY));
    EXPECT_EQ(xdp(frame(payload("neither IP nor ARP"))), drop(REASON_POLICY));
}

TEST_F(Link, OneTagHidesNothing) {
    apply("firewall: {ingress: {rules: [tcp dport 23 drop]}}");

    EXPECT_EQ(xdp(frame(Vlan{.id = 5}, Ipv4{}, Tcp{.dport = 23})), drop(REASON_RULE));
    EXPECT_EQ(xdp(frame(Vlan{.id = 5, .tpid = 0x88a8}, Ipv6{}, Tcp{.dport = 23})),
              drop(REASON_RULE));
    EXPECT_EQ(xdp(frame(Vlan{.id = 5}, Ipv4{}, Tcp{.dport = 24})), pass());
}

TEST_F(Link, TwoTagsHideNothing) {
    apply("firewall: {ingress: {rules: [tcp dport 23 drop]}}");

    EXPECT_EQ(xdp(frame(Vlan{.id = 5, .tpid = 0x88a8}, Vlan{.id = 6}, Ipv4{}, Tcp{.dport = 23})),
              drop(REASON_RULE));
    EXPECT_EQ(xdp(frame(Vlan{.id = 5}, Vlan{.id = 6}, Ipv6{}, Tcp{.dport = 23})),
              drop(REASON_RULE));
    EXPECT_EQ(xdp(frame(Vlan{.id = 5, .tpid = 0x88a8}, Vlan{.id = 6}, Ipv4{}, Tcp{.dport = 24})),
              pass());
}

TEST_F(Link, ThirdTagIsDropped) {
    EXPECT_EQ(xdp(frame(Vlan{}, Vlan{}, Vlan{}, Ipv4{}, Tcp{})), drop(REASON_VLAN_DEPTH));
    EXPECT_EQ(
        xdp(frame(Vlan{.tpid = 0x88a8}, Vlan{.tpid = 0x88a8}, Vlan{.tpid = 0x88a8}, Ipv6{}, Tcp{})),
        drop(REASON_VLAN_DEPTH));
}

TEST_F(Link, FrameThatEndsInsideATagIsTruncated) {
    const Octets tagged = frame(Vlan{}, Vlan{}, payload("x"));

    for (const std::size_t length : {14U, 15U, 16U, 17U, 18U, 19U, 20U, 21U}) {
        EXPECT_EQ(xdp(first(length, tagged)), drop(REASON_TRUNCATED)) << length;
    }
    EXPECT_EQ(xdp(first(22, tagged)), pass());
}

TEST_F(Link, OuterTagIsTheOneThatRulesSee) {
    apply("firewall: {ingress: {rules: [vlan id 5 drop]}}");

    EXPECT_EQ(xdp(frame(Vlan{.id = 5}, Vlan{.id = 6}, Ipv4{}, Tcp{})), drop(REASON_RULE));
    EXPECT_EQ(xdp(frame(Vlan{.id = 6}, Vlan{.id = 5}, Ipv4{}, Tcp{})), pass());
}

// IEEE 802.1Q: identifier 0 is a tag all the same, for its priority.
TEST_F(Link, PriorityTagIsATag) {
    apply("firewall: {ingress: {rules: [vlan id 0 drop]}}");

    EXPECT_EQ(xdp(frame(Vlan{.id = 0, .priority = 7}, Ipv4{}, Tcp{})), drop(REASON_RULE));
    EXPECT_EQ(xdp(frame(Ipv4{}, Tcp{})), pass());
    // And it hides no second one.
    EXPECT_EQ(xdp(frame(Vlan{.id = 0}, Vlan{.id = 9}, Ipv4{}, Tcp{})), drop(REASON_RULE));
}

TEST_F(Link, ArpIsLeftAloneWhateverTheRulesSay) {
    apply("firewall: {ingress: {policy: drop}}");

    EXPECT_EQ(xdp(frame(Arp{})), pass());
    EXPECT_EQ(xdp(frame(Vlan{.id = 5}, Arp{})), pass());
    EXPECT_EQ(seen(CLASS_ARP), 2U);
}

TEST_F(Link, ShortestFrameHasAVerdict) {
    EXPECT_EQ(xdp(first(14, frame(payload(1)))), pass());
    EXPECT_EQ(xdp(first(14, frame(Ipv4{}, Tcp{}))), drop(REASON_TRUNCATED));
    EXPECT_EQ(xdp(first(14, frame(Ipv6{}, Tcp{}))), drop(REASON_TRUNCATED));
}

// An 802.3 length, LLC behind it: no Ethernet type that anything here reads.
TEST_F(Link, LengthFieldIsNoType) {
    EXPECT_EQ(xdp(frame(Ether{.type = 38}, payload(46))), pass());
    apply("firewall: {ingress: {rules: [ether type 38 drop]}}");
    EXPECT_EQ(xdp(frame(Ether{.type = 38}, payload(46))), drop(REASON_RULE));
}

TEST_F(Link, UnloadedConfigurationPassesEverything) {
    apply("firewall: {ingress: {policy: drop}, egress: {policy: drop}}");
    EXPECT_EQ(xdp(frame(Ipv4{}, Tcp{})), drop(REASON_POLICY));

    weir().forget_generation();
    EXPECT_EQ(xdp(frame(Ipv4{}, Tcp{})), pass());
    EXPECT_EQ(xdp(first(20, frame(Ipv4{}, Tcp{}))), pass());
    EXPECT_EQ(tc_ingress(frame(Ipv4{}, Tcp{})), pass());
    EXPECT_EQ(tc_egress(frame(Ipv4{}, Tcp{})), pass());
}

} // namespace
} // namespace weir::test
