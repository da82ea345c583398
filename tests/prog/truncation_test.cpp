#include "prog/packets.h"

#include <set>

// However short a frame is cut, it has a verdict with a reason.
namespace weir::test {
namespace {

class Truncation : public Packets {
protected:
    // Every proper prefix of a frame without payload, whose last header is `last` octets long.
    // `whole` is the frame's own fate.
    void cut(const Octets& frame, Fate whole) {
        EXPECT_EQ(xdp(frame), whole);
        for (std::size_t length = 14; length < frame.size(); ++length) {
            const Fate fate = xdp(first(length, frame));
            EXPECT_EQ(fate.end, VERDICT_DROP) << length << ": " << fate;
            EXPECT_TRUE(fate.why == REASON_TRUNCATED || fate.why == REASON_BAD_LENGTH)
                << length << ": " << fate;
        }
    }
};

TEST_F(Truncation, OfIpv4) {
    cut(frame(Ipv4{}, Tcp{}), pass());
    cut(frame(Ipv4{}, Udp{}), pass());
    cut(frame(Ipv4{}, Icmp{}), pass());
    cut(frame(Ipv4{}, Tcp{.options = Octets(20, 1)}, payload(20)), pass());
    cut(frame(Ipv4{.options = Octets(40, 1)}, Tcp{}), pass());
}

TEST_F(Truncation, OfTaggedFrames) {
    cut(frame(Vlan{}, Ipv4{}, Tcp{}), pass());
    cut(frame(Vlan{.tpid = 0x88a8}, Vlan{}, Ipv6{}, Udp{}, payload(3)), pass());
}

TEST_F(Truncation, OfIpv6) {
    cut(frame(Ipv6{}, Tcp{}), pass());
    cut(frame(Ipv6{}, Icmpv6{}, payload(40)), pass());
    cut(frame(Ipv6{}, HopByHop{}, Routing{}, DestOpts{}, Ah{}, Fragment{}, Udp{}, payload(5)),
        pass());
}

TEST_F(Truncation, OfFragments) {
    cut(frame(Ipv4{.more_fragments = true}, Tcp{}, payload(16)), pass());
    cut(frame(Ipv4{.frag_offset = 20}, payload(16)), pass());
    cut(frame(Ipv6{}, Fragment{.more = true}, Tcp{}, payload(16)), pass());
    cut(frame(Ipv6{}, Fragment{.offset = 20}, payload(16)), pass());
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
