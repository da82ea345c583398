#include "prog/packets.h"

// Frames in more than one buffer (xdp.frags).
namespace weir::test {
namespace {

class Buffers : public Packets {
protected:
    void SetUp() override {
        Packets::SetUp();
        apply(R"(
firewall: {ingress: {rules: [tcp dport 23 drop]}}
lb:
  source: 10.99.0.1
  source6: fd00:99::1
  gateway: 02:00:00:00:00:99
  services:
    - {vip: 203.0.113.10:80/tcp, backends: [10.0.2.2]}
    - {vip: "[2001:db8::10]:80/tcp", backends: ["fd00:2::2"]}
    - {vip: "[2001:db8::10]:81/tcp", vlan: 1, backends: ["fd00:2::2"]}
)");
    }
    const Ether out_{.src = kOurMac, .dst = "02:00:00:00:00:99"};
};

TEST_F(Buffers, JumboFrameIsJudgedByItsHeaders) {
    for (const std::size_t size : {3000U, 4000U, 9000U, 20000U}) {
        EXPECT_EQ(xdp(frame(Ipv4{}, Tcp{.dport = 24}, payload(size))), pass());
        EXPECT_EQ(xdp(frame(Ipv4{}, Tcp{.dport = 23}, payload(size))), drop(REASON_RULE));
        EXPECT_EQ(xdp(frame(Ipv6{}, DestOpts{}, Tcp{.dport = 23}, payload(size))),
                  drop(REASON_RULE));
    }
}

// "BIG TCP": generic XDP meets what the kernel has not segmented yet, with length 0.
TEST_F(Buffers, LengthZeroIsTheKernelsOwnAbove64KiB) {
    const Raw above = payload(66000), below = payload(60000);
    EXPECT_EQ(xdp(frame(Ipv4{.total_length = 0}, Tcp{.dport = 24}, above)), pass());
    EXPECT_EQ(xdp(frame(Ipv4{.total_length = 0}, Tcp{.dport = 23}, above)), drop(REASON_RULE));
    EXPECT_EQ(xdp(frame(Ipv4{.total_length = 0}, Tcp{.dport = 24}, below)),
              drop(REASON_BAD_LENGTH));
    EXPECT_EQ(xdp(frame(Ipv6{.payload_length = 0}, Tcp{.dport = 24}, above)), pass());
    EXPECT_EQ(xdp(frame(Ipv6{.payload_length = 0}, Tcp{.dport = 23}, above)), drop(REASON_RULE));
    EXPECT_EQ(xdp(frame(Ipv6{.payload_length = 0}, Tcp{.dport = 24}, below)),
              drop(REASON_TRUNCATED));
}

TEST_F(Buffers, LengthIsThatOfAllBuffers) {
    EXPECT_EQ(xdp(frame(Ipv4{.total_length = 9041}, Tcp{}, payload(9000))),
              drop(REASON_BAD_LENGTH));
    EXPECT_EQ(xdp(frame(Ipv4{.total_length = 9040}, Tcp{}, payload(9000))), pass());
}

TEST_F(Buffers, JumboFrameIsTunnelledWhole) {
    const Ipv4 inner{.dst = "203.0.113.10"};
    EXPECT_EQ(xdp(frame(inner, Tcp{}, payload(9000))), sent());
    EXPECT_EQ(
        output(),
        frame(
            out_,
            Ipv4{.src = "10.99.0.1", .dst = "10.0.2.2", .id = 0, .dont_fragment = true, .ttl = 64},
            inner, Tcp{}, payload(9000)));

    EXPECT_EQ(xdp(frame(Vlan{}, Ipv6{.dst = "2001:db8::10"}, Tcp{.dport = 81}, payload(9000))), sent());
    const Decoded out = decode(output());
    EXPECT_EQ(out.faults, std::vector<std::string>{});
    EXPECT_EQ(out.ip.at(0).total_length, 40U + 40 + 20 + 9000);
}

TEST_F(Buffers, JumboEchoIsAnswered) {
    EXPECT_EQ(xdp(frame(Ipv4{.dst = "203.0.113.10"}, Icmp{}, payload(8000))), sent());
    EXPECT_EQ(decode(output()).faults, std::vector<std::string>{});
    EXPECT_EQ(decode(output()).ip.at(0).src, "203.0.113.10");
}

TEST_F(Buffers, JumboFrameIsUnpacked) {
    weir().add_interface(1, "lo", ROLE_DECAP, 0);
    EXPECT_EQ(xdp(frame(Ipv4{}, Ipv6{}, Tcp{}, payload(9000))), pass());
    EXPECT_EQ(output(), frame(Ipv6{}, Tcp{}, payload(9000)));
}

// An extension header may be 2,048 octets long: two of them fill the first buffer.
TEST_F(Buffers, HeadersThatLieBehindTheFirstBufferAreDropped) {
    const DestOpts longest{.options = Octets(2046, 0)};
    EXPECT_EQ(xdp(frame(Ipv6{}, longest, longest, Tcp{.dport = 23})), drop(REASON_SPLIT_HEADERS));
    EXPECT_EQ(xdp(frame(Ipv6{}, longest, longest, longest, longest, Tcp{.dport = 24})),
              drop(REASON_SPLIT_HEADERS));
}

TEST_F(Buffers, HeadersSplitAnywhereAreDropped) {
    const Octets packet =
        frame(Vlan{}, Ipv4{}, Tcp{.dport = 24, .options = Octets(12, 1)}, payload(200));
    if (!try_run(kernel::Program::kIngress, packet, {.linear = 100})) {
        GTEST_SKIP() << "this kernel makes no first buffer of a given size (6.18 does)";
    }
    for (std::uint32_t linear = 14; linear < 200; ++linear) {
        const auto fate = try_run(kernel::Program::kIngress, packet, {.linear = linear});
        ASSERT_TRUE(fate) << linear;
        // TCP options may lie behind it: nobody reads them.
        EXPECT_EQ(*fate, linear < 18 + 20 + 20 ? drop(REASON_SPLIT_HEADERS) : pass()) << linear;
    }
}

} // namespace
} // namespace weir::test
