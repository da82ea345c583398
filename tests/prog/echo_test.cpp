#include "prog/packets.h"

// The balancer answers echo requests to a VIP: RFC 792, RFC 4443.
namespace weir::test {
namespace {

const Ether kBack{.src = kOurMac, .dst = kClientMac};

class Echo : public Packets {
protected:
    void SetUp() override {
        Packets::SetUp();
        apply(R"(
lb:
  services:
    - {vip: 203.0.113.10:80/tcp}
    - {vip: "[2001:db8::10]:80/tcp"}
)");
    }

    void expect_output(const Octets& expected) const {
        EXPECT_EQ(hex(output()), hex(expected));
        EXPECT_EQ(decode(output()).faults, std::vector<std::string>{});
    }
};

TEST_F(Echo, RequestForIpv4IsAnsweredWithWhatItCarried) {
    for (const std::size_t length : {0U, 1U, 7U, 56U, 1401U}) {
        const Raw data = payload(length, 0xa5);
        EXPECT_EQ(xdp(frame(Ipv4{.src = "198.51.100.9", .dst = "203.0.113.10", .tos = 0x14},
                            Icmp{.id = 0xfeed, .sequence = 9}, data)),
                  sent());
        expect_output(
            frame(kBack, Ipv4{.src = "203.0.113.10", .dst = "198.51.100.9", .tos = 0x14, .ttl = 64},
                  Icmp{.type = 0, .id = 0xfeed, .sequence = 9}, data));
    }
}

TEST_F(Echo, RequestForIpv6IsAnsweredWithWhatItCarried) {
    for (const std::size_t length : {0U, 1U, 7U, 56U, 1401U}) {
        const Raw data = payload(length, 0x5a);
        EXPECT_EQ(xdp(frame(Ipv6{.src = "2001:db8:c::9", .dst = "2001:db8::10", .flow_label = 77},
                            Icmpv6{.id = 0xfeed, .sequence = 9}, data)),
                  sent());
        expect_output(frame(
            kBack,
            Ipv6{.src = "2001:db8::10", .dst = "2001:db8:c::9", .flow_label = 77, .hop_limit = 64},
            Icmpv6{.type = 129, .id = 0xfeed, .sequence = 9}, data));
    }
}

// The sum of nothing but zeros is 0, its complement 0xffff (RFC 1071); added up in one's complement, both
// are zero, so that an incremental update cannot tell them apart.
TEST_F(Echo, ReplyOfNothingButZerosHasTheChecksumOfZeros) {
    for (const std::size_t length : {0U, 1U, 56U}) {
        EXPECT_EQ(xdp(frame(Ipv4{.dst = "203.0.113.10"}, Icmp{.id = 0, .sequence = 0},
                            Raw{Octets(length, 0)})),
                  sent());
        const std::size_t icmp = 14 + 20;
        ASSERT_EQ(output().size(), icmp + 8 + length);
        EXPECT_EQ(output()[icmp + 2], 0xff);
        EXPECT_EQ(output()[icmp + 3], 0xff);
    }
}

// Incremental checksums go wrong where a sum is all ones or all zeros: RFC 1624, 3.
TEST_F(Echo, ChecksumIsRightForEveryIdentifier) {
    for (unsigned id = 0; id < 0x10000; id += 7) {
        const auto number = static_cast<std::uint16_t>(id);
        ASSERT_EQ(xdp(frame(Ipv4{.dst = "203.0.113.10", .id = number}, Icmp{.id = number})),
                  sent());
        ASSERT_EQ(decode(output()).faults, std::vector<std::string>{}) << id;
        ASSERT_EQ(xdp(frame(Ipv6{.dst = "2001:db8::10"}, Icmpv6{.id = number})), sent());
        ASSERT_EQ(decode(output()).faults, std::vector<std::string>{}) << id;
    }
}

TEST_F(Echo, TagsAndOptionsComeBack) {
    apply("lb: {services: [{vip: '203.0.113.10:80/tcp', vlan: 3}, {vip: '203.0.113.10:81/tcp'}, "
          "{vip: '[2001:db8::10]:80/tcp'}]}");
    EXPECT_EQ(xdp(frame(Vlan{.id = 3}, Vlan{.id = 4}, Ipv4{.dst = "203.0.113.10"}, Icmp{})),
              sent());
    expect_output(frame(kBack, Vlan{.id = 3}, Vlan{.id = 4},
                        Ipv4{.src = "203.0.113.10", .dst = "198.51.100.1", .ttl = 64},
                        Icmp{.type = 0}));

    const Octets options(8, 1);
    EXPECT_EQ(xdp(frame(Ipv4{.dst = "203.0.113.10", .options = options}, Icmp{})), sent());
    expect_output(frame(
        kBack, Ipv4{.src = "203.0.113.10", .dst = "198.51.100.1", .ttl = 64, .options = options},
        Icmp{.type = 0}));

    EXPECT_EQ(xdp(frame(Ipv6{.dst = "2001:db8::10"}, HopByHop{}, Icmpv6{})), sent());
    expect_output(frame(kBack, Ipv6{.src = "2001:db8::10", .dst = "2001:db8:c::1", .hop_limit = 64},
                        HopByHop{}, Icmpv6{.type = 129}));
}

TEST_F(Echo, PaddedRequestKeepsItsLength) {
    EXPECT_EQ(xdp(padded(frame(Ipv4{.dst = "203.0.113.10"}, Icmp{}))), sent());
    EXPECT_EQ(output().size(), 60U);
    expect_output(padded(frame(kBack, Ipv4{.src = "203.0.113.10", .dst = "198.51.100.1", .ttl = 64},
                               Icmp{.type = 0})));
}

TEST_F(Echo, OtherMessagesAndOtherAddressesAreNotAnswered) {
    for (const Octets& packet : {frame(Ipv4{.dst = "203.0.113.11"}, Icmp{}),
                                 frame(Ipv4{.dst = "203.0.113.10"}, Icmp{.type = 0}),
                                 frame(Ipv4{.dst = "203.0.113.10"}, Icmp{.type = 13}),
                                 frame(Ipv6{.dst = "2001:db8::11"}, Icmpv6{}),
                                 frame(Ipv6{.dst = "2001:db8::10"}, Icmpv6{.type = 129}),
                                 frame(Ipv6{.dst = "2001:db8::10"}, Icmpv6{.type = 8})}) {
        EXPECT_EQ(xdp(packet), pass());
        EXPECT_EQ(output(), packet);
    }
}

TEST_F(Echo, FragmentedRequestIsDropped) {
    EXPECT_EQ(xdp(frame(Ipv4{.dst = "203.0.113.10", .more_fragments = true}, Icmp{}, payload(8))),
              drop(REASON_VIP_FRAGMENT));
}

TEST_F(Echo, RulesMayForbidIt) {
    apply(R"(
firewall: {ingress: {rules: [icmp type echo-request drop]}}
lb: {services: [{vip: 203.0.113.10:80/tcp}]}
)");
    EXPECT_EQ(xdp(frame(Ipv4{.dst = "203.0.113.10"}, Icmp{})), drop(REASON_RULE));
}

} // namespace
} // namespace weir::test
