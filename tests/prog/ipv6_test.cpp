#include "prog/packets.h"

namespace weir::test {
namespace {

class Ipv6Parser : public Packets {
protected:
    void SetUp() override {
        Packets::SetUp();
        apply("firewall: {ingress: {rules: [tcp dport 23 drop, udp dport 53 drop]}}");
    }

    // `count` destination option headers, and what stands behind them.
    template <typename Last>
    static Octets chain(std::size_t count, const Last& last) {
        std::vector<Layer> layers{Ether{}, Ipv6{}};
        layers.insert(layers.end(), count, DestOpts{});
        layers.push_back(last);
        return build(layers);
    }
};

TEST_F(Ipv6Parser, PortsAreFoundBehindTheHeader) {
    EXPECT_EQ(xdp(frame(Ipv6{}, Tcp{.dport = 23})), drop(REASON_RULE));
    EXPECT_EQ(xdp(frame(Ipv6{}, Udp{.dport = 53})), drop(REASON_RULE));
    EXPECT_EQ(xdp(frame(Ipv6{}, Tcp{.dport = 24})), pass());
}

TEST_F(Ipv6Parser, VersionOtherThanItsTypeIsDropped) {
    EXPECT_EQ(xdp(frame(Ipv6{.version = 4}, Tcp{})), drop(REASON_BAD_IP_VERSION));
    EXPECT_EQ(xdp(frame(Ether{.type = 0x86dd}, Ipv4{}, Tcp{}, payload(20))),
              drop(REASON_BAD_IP_VERSION));
}

TEST_F(Ipv6Parser, LengthBeyondTheFrameIsDropped) {
    EXPECT_EQ(xdp(frame(Ipv6{.payload_length = 21}, Tcp{})), drop(REASON_BAD_LENGTH));
    EXPECT_EQ(xdp(frame(Ipv6{.payload_length = 65535}, Tcp{})), drop(REASON_BAD_LENGTH));
}

TEST_F(Ipv6Parser, HeadersInThePaddingAreNotHeaders) {
    EXPECT_EQ(xdp(frame(Ipv6{.payload_length = 19}, Tcp{.dport = 23})), drop(REASON_TRUNCATED));
    EXPECT_EQ(xdp(frame(Ipv6{.payload_length = 0}, Udp{.dport = 53})), drop(REASON_TRUNCATED));
    EXPECT_EQ(xdp(frame(Ipv6{.payload_length = 7}, HopByHop{}, Tcp{.dport = 23})),
              drop(REASON_TRUNCATED));
}

TEST_F(Ipv6Parser, EveryExtensionHeaderIsFollowed) {
    EXPECT_EQ(xdp(frame(Ipv6{}, HopByHop{}, Tcp{.dport = 23})), drop(REASON_RULE));
    EXPECT_EQ(xdp(frame(Ipv6{}, DestOpts{}, Tcp{.dport = 23})), drop(REASON_RULE));
    EXPECT_EQ(xdp(frame(Ipv6{}, Routing{}, Tcp{.dport = 23})), drop(REASON_RULE));
    EXPECT_EQ(xdp(frame(Ipv6{}, Fragment{}, Tcp{.dport = 23})), drop(REASON_RULE));
    EXPECT_EQ(xdp(frame(Ipv6{}, Ah{}, Tcp{.dport = 23})), drop(REASON_RULE));
    EXPECT_EQ(xdp(frame(Ipv6{}, HopByHop{}, DestOpts{}, Routing{}, Ah{}, Fragment{}, DestOpts{},
                        Tcp{.dport = 23})),
              drop(REASON_RULE));
    EXPECT_EQ(xdp(frame(Ipv6{}, HopByHop{}, Tcp{.dport = 24})), pass());
    EXPECT_EQ(xdp(frame(Ipv6{}, DestOpts{}, Tcp{.dport = 24})), pass());
    EXPECT_EQ(xdp(frame(Ipv6{}, Routing{}, Tcp{.dport = 24})), pass());
    EXPECT_EQ(xdp(frame(Ipv6{}, Ah{}, Tcp{.dport = 24})), pass());
    EXPECT_EQ(xdp(frame(Ipv6{}, HopByHop{}, DestOpts{}, Tcp{.dport = 24})), pass());
    EXPECT_EQ(seen(CLASS_IPV6_EXTENSIONS), 11U);
    EXPECT_EQ(seen(CLASS_FRAGMENT), 0U); // atomic ones
}

TEST_F(Ipv6Parser, ExtensionHeadersAreMeasuredEachInItsOwnUnit) {
    EXPECT_EQ(xdp(frame(Ipv6{}, HopByHop{.options = Octets(2046, 0)}, Tcp{.dport = 23})),
              drop(REASON_RULE)); // the longest: length 255
    EXPECT_EQ(xdp(frame(Ipv6{}, DestOpts{.options = Octets(22, 0)}, Tcp{.dport = 23})),
              drop(REASON_RULE));
    EXPECT_EQ(xdp(frame(Ipv6{}, Ah{.icv = Octets(20, 0)}, Tcp{.dport = 23})), drop(REASON_RULE));
    EXPECT_EQ(xdp(frame(Ipv6{}, Ah{.icv = Octets(1012, 0)}, Tcp{.dport = 23})), drop(REASON_RULE));
}

TEST_F(Ipv6Parser, ChainUpToTheBoundIsFollowed) {
    for (std::size_t headers = 1; headers <= 8; ++headers) {
        EXPECT_EQ(xdp(chain(headers, Tcp{.dport = 23})), drop(REASON_RULE)) << headers;
        EXPECT_EQ(xdp(chain(headers, Tcp{.dport = 24})), pass()) << headers;
    }
}

TEST_F(Ipv6Parser, ChainBeyondTheBoundIsDropped) {
    EXPECT_EQ(xdp(chain(9, Tcp{.dport = 24})), drop(REASON_EXTENSION_CHAIN));
    EXPECT_EQ(xdp(chain(100, Tcp{.dport = 24})), drop(REASON_EXTENSION_CHAIN));
}

TEST_F(Ipv6Parser, HeaderLongerThanThePacketIsTruncated) {
    EXPECT_EQ(xdp(frame(Ipv6{}, HopByHop{.length = 4}, Tcp{})), drop(REASON_TRUNCATED));
    EXPECT_EQ(xdp(frame(Ipv6{}, DestOpts{.length = 255}, Tcp{})), drop(REASON_TRUNCATED));
    EXPECT_EQ(xdp(frame(Ipv6{}, Ah{.length = 255}, Tcp{})), drop(REASON_TRUNCATED));
    // It may end with the packet: then nothing is left for what it announces.
    EXPECT_EQ(xdp(frame(Ipv6{}, DestOpts{.next = 6})), drop(REASON_TRUNCATED));
    EXPECT_EQ(xdp(frame(Ipv6{}, DestOpts{})), pass()); // "no next header"
}

// RFC 4302, 2.2: 4-octet units minus 2. 0 would be 8 octets, of which the fixed part has 12.
TEST_F(Ipv6Parser, AuthenticationHeaderShorterThanItsFixedPartHidesNoPorts) {
    const Octets short_ah =
        frame(Ipv6{.next = 51}, raw({6, 0, 0, 0, 0, 0, 0, 0}), Tcp{.dport = 23});
    EXPECT_EQ(xdp(short_ah), drop(REASON_RULE));
}

TEST_F(Ipv6Parser, RoutingHeaderWithSegmentsLeftIsDroppedByItsClass) {
    EXPECT_EQ(xdp(frame(Ipv6{}, Routing{.type = 0, .segments_left = 1, .data = Octets(20, 0)},
                        Tcp{.dport = 24})),
              drop(REASON_ROUTING_HEADER));
    EXPECT_EQ(xdp(frame(Ipv6{}, HopByHop{}, Routing{.type = 4, .segments_left = 2}, Tcp{})),
              drop(REASON_ROUTING_HEADER));
    EXPECT_EQ(seen(CLASS_ROUTING_HEADER), 2U);
    EXPECT_EQ(xdp(frame(Ipv6{}, Routing{.segments_left = 0}, Tcp{.dport = 24})), pass());
    EXPECT_EQ(seen(CLASS_ROUTING_HEADER), 2U);
}

TEST_F(Ipv6Parser, EncryptedPayloadHasNoPorts) {
    EXPECT_EQ(xdp(frame(Ipv6{.next = 50}, Tcp{.dport = 23})), pass());
    EXPECT_EQ(xdp(frame(Ipv6{.next = 59}, Tcp{.dport = 23})), pass());
}

TEST_F(Ipv6Parser, IcmpShorterThanItsHeaderIsTruncated) {
    EXPECT_EQ(xdp(frame(Ipv6{.next = 58}, payload(7))), drop(REASON_TRUNCATED));
    EXPECT_EQ(xdp(frame(Ipv6{}, Icmpv6{})), pass());
    EXPECT_EQ(xdp(frame(Ipv6{.next = 1}, payload(1))), pass()); // ICMP in IPv6 is none
}

TEST_F(Ipv6Parser, NeighbourDiscoveryIsLeftAlone) {
    apply("firewall: {ingress: {policy: drop}}");

    for (std::uint8_t type = 133; type <= 137; ++type) {
        EXPECT_EQ(xdp(frame(Ipv6{.hop_limit = 255}, Icmpv6{.type = type}, payload(16))), pass());
    }
    EXPECT_EQ(seen(CLASS_NEIGHBOUR_DISCOVERY), 5U);
}

// RFC 4861, 6.1 and 7.1: hop limit 255, code 0, and RFC 6980: no fragment.
TEST_F(Ipv6Parser, WhatOnlyLooksLikeNeighbourDiscoveryIsFiltered) {
    apply("firewall: {ingress: {policy: drop}}");

    EXPECT_EQ(xdp(frame(Ipv6{.hop_limit = 254}, Icmpv6{.type = 135}, payload(16))),
              drop(REASON_POLICY));
    EXPECT_EQ(xdp(frame(Ipv6{.hop_limit = 255}, Icmpv6{.type = 135, .code = 1}, payload(16))),
              drop(REASON_POLICY));
    EXPECT_EQ(xdp(frame(Ipv6{.hop_limit = 255}, Icmpv6{.type = 132}, payload(16))),
              drop(REASON_POLICY));
    EXPECT_EQ(xdp(frame(Ipv6{.hop_limit = 255}, Icmpv6{.type = 138}, payload(16))),
              drop(REASON_POLICY));
    EXPECT_EQ(xdp(frame(Ipv6{.hop_limit = 255}, Fragment{.more = true}, Icmpv6{.type = 135},
                        payload(16))),
              drop(REASON_POLICY));
    EXPECT_EQ(seen(CLASS_NEIGHBOUR_DISCOVERY), 0U);
}

class Ipv6Fragments : public Ipv6Parser {};

TEST_F(Ipv6Fragments, FirstFragmentHasPorts) {
    EXPECT_EQ(xdp(frame(Ipv6{}, Fragment{.more = true}, Tcp{.dport = 23}, payload(16))),
              drop(REASON_RULE));
    EXPECT_EQ(
        xdp(frame(Ipv6{}, Fragment{.more = true}, Udp{.dport = 53, .length = 3000}, payload(1000))),
        drop(REASON_RULE));
    EXPECT_EQ(xdp(frame(Ipv6{}, Fragment{.more = true}, Tcp{.dport = 24}, payload(16))), pass());
    EXPECT_EQ(seen(CLASS_FRAGMENT), 3U);
}

TEST_F(Ipv6Fragments, LaterFragmentIsNotMatchedByPort) {
    EXPECT_EQ(xdp(frame(Ipv6{}, Fragment{.offset = 100}, Tcp{.dport = 23})), pass());
    EXPECT_EQ(xdp(frame(Ipv6{}, Fragment{.offset = 100, .more = true, .next = 6}, payload(1))),
              pass());
    // What it carries is payload, also where it looks like one more header.
    EXPECT_EQ(
        xdp(frame(Ipv6{}, Fragment{.offset = 100}, DestOpts{.length = 255}, Tcp{.dport = 23})),
        pass());
    EXPECT_EQ(seen(CLASS_FRAGMENT), 3U);
}

TEST_F(Ipv6Fragments, AtomicFragmentIsAWholePacket) {
    EXPECT_EQ(xdp(frame(Ipv6{}, Fragment{}, Tcp{.dport = 23})), drop(REASON_RULE));
    EXPECT_EQ(xdp(frame(Ipv6{}, Fragment{}, Tcp{.dport = 24})), pass());
    EXPECT_EQ(seen(CLASS_FRAGMENT), 0U);
    EXPECT_EQ(seen(CLASS_IPV6_EXTENSIONS), 2U);
}

TEST_F(Ipv6Fragments, FirstFragmentWithoutTheWholeChainIsTiny) {
    for (std::size_t length = 0; length < 20; ++length) {
        EXPECT_EQ(xdp(frame(Ipv6{}, Fragment{.more = true, .next = 6}, payload(length))),
                  drop(REASON_TINY_FRAGMENT))
            << length;
    }
    EXPECT_EQ(xdp(frame(Ipv6{}, Fragment{.more = true, .next = 60}, payload(4))),
              drop(REASON_TINY_FRAGMENT));
    EXPECT_EQ(xdp(frame(Ipv6{}, Fragment{.more = true}, DestOpts{.next = 6})),
              drop(REASON_TINY_FRAGMENT));
    EXPECT_EQ(xdp(frame(Ipv6{}, Fragment{.more = true}, DestOpts{.length = 9}, Tcp{})),
              drop(REASON_TINY_FRAGMENT));
}

TEST_F(Ipv6Fragments, TcpFragmentAtOffsetOneIsDropped) {
    EXPECT_EQ(xdp(frame(Ipv6{}, Fragment{.offset = 1, .next = 6}, payload(24))),
              drop(REASON_TINY_FRAGMENT));
    EXPECT_EQ(xdp(frame(Ipv6{}, Fragment{.offset = 1, .next = 17}, payload(24))), pass());
}

TEST_F(Ipv6Fragments, FragmentHeaderCutShortIsTruncated) {
    EXPECT_EQ(xdp(frame(Ipv6{.next = 44}, raw({6, 0, 0, 1}))), drop(REASON_TRUNCATED));
}

} // namespace
} // namespace weir::test
