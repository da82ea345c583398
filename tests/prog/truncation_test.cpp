#include "prog/packets.h"

// However short a frame is cut, it has a verdict with a reason.
namespace weir::test {
namespace {

class Truncation : public Packets {
protected:
    // The frame's own fate is `whole`. Of its prefixes those lack something of a header that end
    // within the first `fixed` octets, where the fixed part of the IP header ends: from there on
    // its length field tells more than is there.
    void cut(const Octets& frame, std::size_t fixed, Fate whole) {
        EXPECT_EQ(xdp(frame), whole);
        for (std::size_t length = 14; length < frame.size(); ++length) {
            EXPECT_EQ(xdp(first(length, frame)),
                      drop(length < fixed ? REASON_TRUNCATED : REASON_BAD_LENGTH))
                << length;
        }
    }

    static constexpr std::size_t kIpv4 = 14 + 20, kIpv6 = 14 + 40, kTag = 4;
};

TEST_F(Truncation, OfIpv4) {
    cut(frame(Ipv4{}, Tcp{}), kIpv4, pass());
    cut(frame(Ipv4{}, Udp{}), kIpv4, pass());
    cut(frame(Ipv4{}, Icmp{}), kIpv4, pass());
    cut(frame(Ipv4{}, Tcp{.options = Octets(20, 1)}, payload(20)), kIpv4, pass());
    cut(frame(Ipv4{.options = Octets(40, 1)}, Tcp{}), kIpv4, pass());
}

TEST_F(Truncation, OfTaggedFrames) {
    cut(frame(Vlan{}, Ipv4{}, Tcp{}), kIpv4 + kTag, pass());
    cut(frame(Vlan{.tpid = 0x88a8}, Vlan{}, Ipv6{}, Udp{}, payload(3)), kIpv6 + 2 * kTag, pass());
}

TEST_F(Truncation, OfIpv6) {
    cut(frame(Ipv6{}, Tcp{}), kIpv6, pass());
    cut(frame(Ipv6{}, Icmpv6{}, payload(40)), kIpv6, pass());
    cut(frame(Ipv6{}, HopByHop{}, Routing{}, DestOpts{}, Ah{}, Fragment{}, Udp{}, payload(5)),
        kIpv6, pass());
}

TEST_F(Truncation, OfFragments) {
    cut(frame(Ipv4{.more_fragments = true}, Tcp{}, payload(16)), kIpv4, pass());
    cut(frame(Ipv4{.frag_offset = 20}, payload(16)), kIpv4, pass());
    cut(frame(Ipv6{}, Fragment{.more = true}, Tcp{}, payload(16)), kIpv6, pass());
    cut(frame(Ipv6{}, Fragment{.offset = 20}, payload(16)), kIpv6, pass());
}

// The same, where the length fields were made to agree with what is left: the cut is then seen
// where the header is read that it goes through.
TEST_F(Truncation, WithLengthFieldsThatAgree) {
    for (std::uint16_t length = 0; length < 20; ++length) {
        EXPECT_EQ(xdp(frame(Ipv4{.protocol = 6}, payload(length))), drop(REASON_TRUNCATED));
        EXPECT_EQ(xdp(frame(Ipv6{.next = 6}, payload(length))), drop(REASON_TRUNCATED));
    }
    for (std::uint16_t length = 0; length < 8; ++length) {
        EXPECT_EQ(xdp(frame(Ipv4{.protocol = 17}, payload(length))), drop(REASON_TRUNCATED));
        EXPECT_EQ(xdp(frame(Ipv6{.next = 60}, payload(length))), drop(REASON_TRUNCATED));
        EXPECT_EQ(xdp(frame(Ipv6{.next = 51}, payload(length))), drop(REASON_TRUNCATED));
    }
}

} // namespace
} // namespace weir::test
