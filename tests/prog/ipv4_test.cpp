#include "prog/packets.h"

namespace weir::test {
namespace {

class Ipv4Parser : public Packets {
protected:
    void SetUp() override {
        Packets::SetUp();
        apply("firewall: {ingress: {rules: [tcp dport 23 drop, udp dport 53 drop]}}");
    }
};

TEST_F(Ipv4Parser, OptionsDoNotMoveThePortsOutOfSight) {
    for (std::size_t words = 1; words <= 10; ++words) {
        const Ipv4 ip{.options = Octets(words * 4, 1)}; // RFC 791: no operation
        EXPECT_EQ(xdp(frame(ip, Tcp{.dport = 23})), drop(REASON_RULE)) << words;
        EXPECT_EQ(xdp(frame(ip, Tcp{.dport = 24})), pass()) << words;
    }
    EXPECT_EQ(seen(CLASS_IPV4_OPTIONS), 20U);
}

TEST_F(Ipv4Parser, VersionOtherThanItsTypeIsDropped) {
    EXPECT_EQ(xdp(frame(Ipv4{.version = 6}, Tcp{})), drop(REASON_BAD_IP_VERSION));
    EXPECT_EQ(xdp(frame(Ipv4{.version = 0}, Tcp{})), drop(REASON_BAD_IP_VERSION));
    EXPECT_EQ(xdp(frame(Ether{.type = 0x0800}, Ipv6{}, Tcp{})), drop(REASON_BAD_IP_VERSION));
}

TEST_F(Ipv4Parser, HeaderShorterThanItsLeastIsDropped) {
    for (std::uint8_t words = 0; words < 5; ++words) {
        EXPECT_EQ(xdp(frame(Ipv4{.header_words = words}, Tcp{})), drop(REASON_BAD_IP_HEADER));
    }
}

TEST_F(Ipv4Parser, HeaderLongerThanThePacketIsDropped) {
    EXPECT_EQ(xdp(frame(Ipv4{.total_length = 40, .header_words = 15}, Tcp{}, payload(100))),
              drop(REASON_BAD_LENGTH));
    EXPECT_EQ(xdp(frame(Ipv4{.total_length = 60, .header_words = 15}, Tcp{}, payload(100))),
              drop(REASON_TRUNCATED)); // nothing is left for TCP
}

TEST_F(Ipv4Parser, LengthBeyondTheFrameIsDropped) {
    EXPECT_EQ(xdp(frame(Ipv4{.total_length = 41}, Tcp{})), drop(REASON_BAD_LENGTH));
    EXPECT_EQ(xdp(frame(Ipv4{.total_length = 65535}, Tcp{})), drop(REASON_BAD_LENGTH));
}

TEST_F(Ipv4Parser, LengthBelowItsHeaderIsDropped) {
    EXPECT_EQ(xdp(frame(Ipv4{.total_length = 0}, Tcp{})), drop(REASON_BAD_LENGTH));
    EXPECT_EQ(xdp(frame(Ipv4{.total_length = 19}, Tcp{})), drop(REASON_BAD_LENGTH));
    EXPECT_EQ(xdp(frame(Ipv4{.total_length = 23, .options = Octets(4, 1)}, Tcp{})),
              drop(REASON_BAD_LENGTH));
}

TEST_F(Ipv4Parser, HeadersInThePaddingAreNotHeaders) {
    EXPECT_EQ(xdp(frame(Ipv4{.total_length = 39}, Tcp{.dport = 23})), drop(REASON_TRUNCATED));
    EXPECT_EQ(xdp(frame(Ipv4{.total_length = 20}, Udp{})), drop(REASON_TRUNCATED));
    EXPECT_EQ(xdp(frame(Ipv4{.total_length = 27}, Udp{}, payload(40))), drop(REASON_TRUNCATED));
}

TEST_F(Ipv4Parser, PaddedShortPacketIsJudgedAsWhatItIs) {
    EXPECT_EQ(xdp(padded(frame(Ipv4{}, Udp{.dport = 54}, payload("hi")))), pass());
    EXPECT_EQ(xdp(padded(frame(Ipv4{}, Udp{.dport = 53}, payload("hi")))), drop(REASON_RULE));
}

TEST_F(Ipv4Parser, TcpHeaderBelowItsLeastIsDropped) {
    for (std::uint8_t words = 0; words < 5; ++words) {
        EXPECT_EQ(xdp(frame(Ipv4{}, Tcp{.data_offset = words}, payload(40))),
                  drop(REASON_BAD_TCP_HEADER));
    }
}

TEST_F(Ipv4Parser, TcpOptionsBeyondThePacketAreTruncated) {
    EXPECT_EQ(xdp(frame(Ipv4{}, Tcp{.data_offset = 6})), drop(REASON_TRUNCATED));
    EXPECT_EQ(xdp(frame(Ipv4{}, Tcp{.data_offset = 15}, payload(39))), drop(REASON_TRUNCATED));
    EXPECT_EQ(xdp(frame(Ipv4{}, Tcp{.data_offset = 15}, payload(40))), pass());
}

TEST_F(Ipv4Parser, UdpLengthThatContradictsThePacketIsDropped) {
    EXPECT_EQ(xdp(frame(Ipv4{}, Udp{.dport = 54, .length = 7}, payload(4))),
              drop(REASON_BAD_LENGTH));
    EXPECT_EQ(xdp(frame(Ipv4{}, Udp{.dport = 54, .length = 0}, payload(4))),
              drop(REASON_BAD_LENGTH));
    EXPECT_EQ(xdp(frame(Ipv4{}, Udp{.dport = 54, .length = 13}, payload(4))),
              drop(REASON_BAD_LENGTH));
    // Shorter than what IP carries: the rest is nobody's, and the datagram is whole.
    EXPECT_EQ(xdp(frame(Ipv4{}, Udp{.dport = 54, .length = 11}, payload(4))), pass());
}

TEST_F(Ipv4Parser, OtherTransportsPassWithoutPorts) {
    EXPECT_EQ(xdp(frame(Ipv4{.protocol = 47}, payload(8))), pass()); // GRE
    EXPECT_EQ(xdp(frame(Ipv4{.protocol = 132}, payload("\x00\x17\x00\x17"))), pass());
    EXPECT_EQ(xdp(frame(Ipv4{.protocol = 6}, payload(19))), drop(REASON_TRUNCATED));
}

TEST_F(Ipv4Parser, IcmpShorterThanItsHeaderIsTruncated) {
    EXPECT_EQ(xdp(frame(Ipv4{.protocol = 1}, payload(7))), drop(REASON_TRUNCATED));
    EXPECT_EQ(xdp(frame(Ipv4{}, Icmp{})), pass());
    // ICMPv6 in IPv4 is no ICMP; it has no header here.
    EXPECT_EQ(xdp(frame(Ipv4{.protocol = 58}, payload(1))), pass());
}

class Ipv4Fragments : public Ipv4Parser {};

TEST_F(Ipv4Fragments, FirstFragmentHasPorts) {
    EXPECT_EQ(xdp(frame(Ipv4{.more_fragments = true}, Tcp{.dport = 23}, payload(16))),
              drop(REASON_RULE));
    EXPECT_EQ(xdp(frame(Ipv4{.more_fragments = true}, Tcp{.dport = 24}, payload(16))), pass());
    EXPECT_EQ(seen(CLASS_FRAGMENT), 2U);
}

TEST_F(Ipv4Fragments, LaterFragmentIsNotMatchedByPort) {
    EXPECT_EQ(xdp(frame(Ipv4{.frag_offset = 185}, Tcp{.dport = 23})), pass());
    EXPECT_EQ(xdp(frame(Ipv4{.more_fragments = true, .frag_offset = 185}, Tcp{.dport = 23})),
              pass());
    EXPECT_EQ(xdp(frame(Ipv4{.frag_offset = 185}, payload(1))), pass());
    EXPECT_EQ(xdp(frame(Ipv4{.frag_offset = 185, .protocol = 17})), pass());
    EXPECT_EQ(seen(CLASS_FRAGMENT), 4U);
    EXPECT_EQ(rule(0).packets, 0U);
}

TEST_F(Ipv4Fragments, FirstFragmentWithoutItsWholeHeaderIsTiny) {
    const Ipv4 ip{.more_fragments = true, .protocol = 6};

    for (std::size_t length = 0; length < 20; ++length) {
        EXPECT_EQ(xdp(frame(ip, payload(length))), drop(REASON_TINY_FRAGMENT)) << length;
    }
    EXPECT_EQ(xdp(frame(Ipv4{.more_fragments = true}, Tcp{.data_offset = 6})),
              drop(REASON_TINY_FRAGMENT)); // TCP options
    for (std::size_t length = 0; length < 8; ++length) {
        EXPECT_EQ(xdp(frame(Ipv4{.more_fragments = true, .protocol = 17}, payload(length))),
                  drop(REASON_TINY_FRAGMENT));
        EXPECT_EQ(xdp(frame(Ipv4{.more_fragments = true, .protocol = 1}, payload(length))),
                  drop(REASON_TINY_FRAGMENT));
    }
}

// RFC 1858, 3.2.2: it would be laid over the flags of the header before it.
TEST_F(Ipv4Fragments, TcpFragmentAtOffsetOneIsDropped) {
    EXPECT_EQ(xdp(frame(Ipv4{.frag_offset = 1, .protocol = 6}, payload(24))),
              drop(REASON_TINY_FRAGMENT));
    EXPECT_EQ(xdp(frame(Ipv4{.frag_offset = 2, .protocol = 6}, payload(24))), pass());
    EXPECT_EQ(xdp(frame(Ipv4{.frag_offset = 1, .protocol = 17}, payload(24))), pass());
}

TEST_F(Ipv4Fragments, FirstFragmentAnnouncesTheWholeDatagram) {
    EXPECT_EQ(
        xdp(frame(Ipv4{.more_fragments = true}, Udp{.dport = 53, .length = 3000}, payload(1472))),
        drop(REASON_RULE));
    EXPECT_EQ(xdp(frame(Ipv4{.more_fragments = true}, Udp{.dport = 54, .length = 7}, payload(16))),
              drop(REASON_BAD_LENGTH));
}

TEST_F(Ipv4Fragments, DontFragmentAndReservedFlagsMakeNoFragment) {
    EXPECT_EQ(xdp(frame(Ipv4{.dont_fragment = true}, Tcp{.dport = 23})), drop(REASON_RULE));
    EXPECT_EQ(xdp(frame(Ipv4{.reserved_flag = true}, Tcp{.dport = 23})), drop(REASON_RULE));
    EXPECT_EQ(seen(CLASS_FRAGMENT), 0U);
}

TEST_F(Ipv4Fragments, FragmentWithOptionsIsOfBothClasses) {
    EXPECT_EQ(xdp(frame(Ipv4{.frag_offset = 99, .options = Octets(4, 1)}, payload(8))), pass());
    EXPECT_EQ(seen(CLASS_FRAGMENT), 1U);
    EXPECT_EQ(seen(CLASS_IPV4_OPTIONS), 1U);
}

} // namespace
} // namespace weir::test
