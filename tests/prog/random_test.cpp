#include "prog/busy_node.h"
#include "prog/packets.h"

#include <random>

// Octets that nobody meant: a verdict with a reason, and books that add up, whatever they are.
namespace weir::test {
namespace {

class Random : public Packets {
protected:
    void SetUp() override {
        Packets::SetUp();
        apply(kBusyNode);
    }

    std::uint32_t number(std::uint32_t below) {
        return std::uniform_int_distribution<std::uint32_t>(0, below - 1)(random_);
    }
    std::uint8_t octet() { return static_cast<std::uint8_t>(number(256)); }

    Octets noise(std::size_t length) {
        Octets octets(length);
        for (auto& one : octets) {
            one = octet();
        }
        return octets;
    }
    // Flips, overwrites, cuts, repeats: as wires and attackers do.
    Octets damaged(Octets frame) {
        for (std::uint32_t i = number(4); i > 0; --i) {
            frame[number(static_cast<std::uint32_t>(frame.size()))] ^=
                static_cast<std::uint8_t>(1U << number(8));
        }
        for (std::uint32_t i = number(3); i > 0; --i) {
            frame[number(static_cast<std::uint32_t>(frame.size()))] = octet();
        }
        if (number(4) == 0) {
            frame.resize(14 + number(static_cast<std::uint32_t>(frame.size() - 13)));
        }
        if (number(8) == 0) {
            const Octets tail = noise(1 + number(64));
            frame.insert(frame.end(), tail.begin(), tail.end());
        }
        return frame;
    }

    void expect_verdict(kernel::Program program, const Octets& packet) {
        const auto fate = try_run(program, packet, {});
        if (!fate) { // TC: some kernels refuse to make an skb of it
            ASSERT_NE(program, kernel::Program::kIngress) << hex(packet);
            return;
        }
        ASSERT_NE(fate->end, VERDICT_COUNT) << hex(packet);
        ASSERT_TRUE(fate->end != VERDICT_DROP || fate->why != REASON_COUNT) << hex(packet);
    }

    const std::vector<Octets> seeds_{
        frame(Ipv4{}, Tcp{}, payload(20)),
        frame(Ipv4{}, Udp{}, payload(20)),
        frame(Ipv4{}, Icmp{}, payload(20)),
        frame(Ipv4{.options = Octets(12, 1)}, Tcp{.options = Octets(8, 1)}),
        frame(Ipv4{.more_fragments = true}, Udp{.length = 2000}, payload(64)),
        frame(Ipv4{}, Ipv4{}, Tcp{}),
        frame(Ipv4{}, Ipv6{}, Udp{}),
        frame(Ipv6{}, Tcp{}, payload(20)),
        frame(Ipv6{}, Icmpv6{}, payload(20)),
        frame(Ipv6{}, HopByHop{}, Routing{.segments_left = 1}, DestOpts{}, Fragment{}, Ah{}, Udp{}),
        frame(Ipv6{}, Ipv6{}, Tcp{}),
        frame(Vlan{.id = 200}, Vlan{.id = 7}, Ipv4{}, Tcp{}),
        frame(Vlan{.id = 200}, Ipv6{}, Udp{}),
        frame(Arp{}),
    };
    std::mt19937 random_{20240229};
};

TEST_F(Random, NoiseHasAVerdict) {
    for (int i = 0; i < 20000 && !HasFailure(); ++i) {
        expect_verdict(kernel::Program::kIngress, noise(14 + number(200)));
    }
}

TEST_F(Random, NoiseBehindARealEthernetTypeHasAVerdict) {
    const std::uint16_t types[] = {0x0800, 0x86dd, 0x8100, 0x88a8, 0x0806};
    for (int i = 0; i < 20000 && !HasFailure(); ++i) {
        Octets packet = noise(14 + number(200));
        const std::uint16_t type = types[number(5)];
        packet[12] = static_cast<std::uint8_t>(type >> 8);
        packet[13] = static_cast<std::uint8_t>(type);
        if (packet.size() > 14) {
            packet[14] = type == 0x0800 ? 0x45 : type == 0x86dd ? 0x60 : packet[14];
        }
        expect_verdict(kernel::Program::kIngress, packet);
    }
}

TEST_F(Random, DamagedPacketsHaveAVerdict) {
    for (int i = 0; i < 20000 && !HasFailure(); ++i) {
        expect_verdict(kernel::Program::kIngress,
                       damaged(seeds_[number(static_cast<std::uint32_t>(seeds_.size()))]));
    }
}

TEST_F(Random, DamagedPacketsHaveAVerdictInRoleDecap) {
    weir().add_interface(1, "lo", ROLE_DECAP, 0);
    for (int i = 0; i < 10000 && !HasFailure(); ++i) {
        expect_verdict(kernel::Program::kIngress,
                       damaged(seeds_[number(static_cast<std::uint32_t>(seeds_.size()))]));
    }
}

TEST_F(Random, DamagedPacketsHaveAVerdictAtTc) {
    for (int i = 0; i < 5000 && !HasFailure(); ++i) {
        const Octets packet = damaged(seeds_[number(static_cast<std::uint32_t>(seeds_.size()))]);
        expect_verdict(kernel::Program::kTcIngress, packet);
        expect_verdict(kernel::Program::kTcEgress, packet);
    }
}

// What is sent to a backend is right, however odd the packet was.
TEST_F(Random, WhatIsTunnelledHasARightOuterHeader) {
    int tunnelled = 0;
    for (int i = 0; i < 20000 && !HasFailure(); ++i) {
        const Octets packet = damaged(seeds_[number(static_cast<std::uint32_t>(seeds_.size()))]);
        if (xdp(packet) != sent()) {
            continue;
        }
        const Decoded out = decode(output());
        if (out.ip.empty() || out.ip[0].protocol == 1 || out.ip[0].protocol == 58) {
            continue; // an echo reply
        }
        ++tunnelled;
        ASSERT_EQ(out.ip.size(), 2U) << hex(packet);
        ASSERT_TRUE(out.ip[0].dst.compare(0, 5, "10.0.") == 0 || out.ip[0].dst == "fd00:2::2");
        ASSERT_EQ(out.ip[0].hops, 64U);
        ASSERT_EQ(out.ip[0].total_length,
                  out.ip[1].total_length + (out.ip[0].version == 4 ? 20 : 40));
        ASSERT_EQ(out.ip[0].tos, out.ip[1].tos);
    }
    EXPECT_GT(tunnelled, 1000);
}

} // namespace
} // namespace weir::test
