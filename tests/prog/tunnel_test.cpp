#include "prog/packets.h"

#include <set>

// Services forwarded by IP in IP: what leaves is compared octet by octet.
namespace weir::test {
namespace {

constexpr const char* kGatewayMac = "02:00:00:00:00:99";

// A frame that a tunnelled packet goes out in.
const Ether kOut{.src = kOurMac, .dst = kGatewayMac};
const Ipv4 kOuter4{
    .src = "10.99.0.1", .dst = "10.0.2.2", .id = 0, .dont_fragment = true, .ttl = 64};

class Tunnel : public Packets {
protected:
    void SetUp() override {
        Packets::SetUp();
        apply(R"(
lb:
  source: 10.99.0.1
  source6: fd00:99::1
  gateway: 02:00:00:00:00:99
  services:
    - {vip: 203.0.113.10:80/tcp, backends: [10.0.2.2]}
    - {vip: 203.0.113.10:53/udp, backends: [10.0.2.2]}
    - {vip: "[2001:db8::10]:80/tcp", backends: ["fd00:2::2"]}
    - {vip: "[2001:db8::10]:53/udp", backends: ["fd00:2::2"]}
    - {vip: 203.0.113.20:any/tcp, backends: [10.0.2.2]}
    - {vip: "[2001:db8::20]:any/udp", backends: ["fd00:2::2"]}
)");
    }

    void serve_vlan(int vlan) {
        apply("lb: {source: 10.99.0.1, gateway: '02:00:00:00:00:99', services: [{vip: "
              "'203.0.113.10:80/tcp', vlan: " +
              std::to_string(vlan) + ", backends: [10.0.2.2]}]}");
    }

    // The output has right lengths and checksums, and is this.
    void expect_output(const Octets& expected) const {
        EXPECT_EQ(hex(output()), hex(expected));
        EXPECT_EQ(decode(output()).faults, std::vector<std::string>{});
    }
};

TEST_F(Tunnel, Ipv4PacketLeavesInIpv4) {
    const Ipv4 inner{.dst = "203.0.113.10", .ttl = 3};
    const Tcp tcp{.flags = kSyn, .options = {2, 4, 5, 0xb4}};

    EXPECT_EQ(xdp(frame(inner, tcp, payload("GET"))), sent());
    expect_output(frame(kOut, kOuter4, inner, tcp, payload("GET")));
}

TEST_F(Tunnel, Ipv6PacketLeavesInIpv6) {
    const Ipv6 inner{.dst = "2001:db8::10", .flow_label = 0x12345, .hop_limit = 3};

    EXPECT_EQ(xdp(frame(inner, Tcp{}, payload("GET"))), sent());
    const Decoded out = decode(output());
    ASSERT_EQ(out.ip.size(), 2U);
    expect_output(frame(kOut,
                        Ipv6{.src = "fd00:99::1",
                             .dst = "fd00:2::2",
                             .flow_label = out.ip[0].flow_label,
                             .hop_limit = 64},
                        inner, Tcp{}, payload("GET")));
}

TEST_F(Tunnel, UdpIsForwardedToo) {
    EXPECT_EQ(xdp(frame(Ipv4{.dst = "203.0.113.10"}, Udp{}, payload("q"))), sent());
    expect_output(frame(kOut, kOuter4, Ipv4{.dst = "203.0.113.10"}, Udp{}, payload("q")));
    EXPECT_EQ(xdp(frame(Ipv6{.dst = "2001:db8::10"}, Udp{}, payload("q"))), sent());
    EXPECT_EQ(decode(output()).faults, std::vector<std::string>{});
}

TEST_F(Tunnel, TypeOfServiceGoesInsideToOutside) {
    for (const int tos : {0x01, 0x03, 0xb8, 0xff}) {
        const auto octet = static_cast<std::uint8_t>(tos);
        EXPECT_EQ(xdp(frame(Ipv4{.dst = "203.0.113.10", .tos = octet}, Tcp{})), sent());
        Ipv4 outer = kOuter4;
        outer.tos = octet;
        expect_output(frame(kOut, outer, Ipv4{.dst = "203.0.113.10", .tos = octet}, Tcp{}));

        EXPECT_EQ(xdp(frame(Ipv6{.dst = "2001:db8::10", .traffic_class = octet}, Tcp{})), sent());
        const Decoded out = decode(output());
        EXPECT_EQ(out.faults, std::vector<std::string>{});
        ASSERT_EQ(out.ip.size(), 2U);
        EXPECT_EQ(out.ip[0].tos, octet);
    }
}

TEST_F(Tunnel, OuterLengthIsThatOfThePacketWithoutPadding) {
    const Octets short_frame = frame(Ipv4{.dst = "203.0.113.10"}, Udp{}, payload("q"));
    EXPECT_EQ(xdp(padded(short_frame)), sent());
    const Decoded out = decode(output());
    ASSERT_EQ(out.ip.size(), 2U);
    EXPECT_EQ(out.ip[0].total_length, 20U + out.ip[1].total_length);
    EXPECT_EQ(out.faults, std::vector<std::string>{});
}

TEST_F(Tunnel, InnerOptionsAndExtensionsStayUntouched) {
    const Ipv4 options{.dst = "203.0.113.10", .options = {7, 7, 4, 0, 0, 0, 0}};
    EXPECT_EQ(xdp(frame(options, Tcp{})), sent());
    expect_output(frame(kOut, kOuter4, options, Tcp{}));

    EXPECT_EQ(xdp(frame(Ipv6{.dst = "2001:db8::10"}, HopByHop{}, DestOpts{}, Tcp{})), sent());
    const Octets inner = packet(Ipv6{.dst = "2001:db8::10"}, HopByHop{}, DestOpts{}, Tcp{}).octets;
    EXPECT_EQ(Octets(output().begin() + 54, output().end()), inner);
}

TEST_F(Tunnel, VlanTagsStayOnTheLinkThatTheyName) {
    serve_vlan(7);
    const Ipv4 inner{.dst = "203.0.113.10"};
    EXPECT_EQ(xdp(frame(Vlan{.id = 7, .priority = 5}, inner, Tcp{})), sent());
    expect_output(frame(kOut, Vlan{.id = 7, .priority = 5}, kOuter4, inner, Tcp{}));

    EXPECT_EQ(xdp(frame(Vlan{.id = 7, .tpid = 0x88a8}, Vlan{.id = 9}, inner, Tcp{})), sent());
    expect_output(frame(kOut, Vlan{.id = 7, .tpid = 0x88a8}, Vlan{.id = 9}, kOuter4, inner, Tcp{}));
}

TEST_F(Tunnel, FramesOfAnotherVlanAreNoneOfTheServices) {
    const Ipv4 inner{.dst = "203.0.113.10"};
    EXPECT_EQ(xdp(frame(Vlan{.id = 7}, inner, Tcp{})), pass());
    EXPECT_EQ(xdp(frame(Vlan{.id = 0, .priority = 5}, inner, Tcp{})), sent()) << "only a priority";

    serve_vlan(7);
    EXPECT_EQ(xdp(frame(Vlan{.id = 8}, inner, Tcp{})), pass());
    EXPECT_EQ(xdp(frame(inner, Tcp{})), pass());
    EXPECT_EQ(xdp(frame(Vlan{.id = 7}, inner, Icmp{})), sent()) << "an echo of the VIP";
    EXPECT_EQ(xdp(frame(Vlan{.id = 8}, inner, Icmp{})), pass());
}

TEST_F(Tunnel, AnyPortOfAServiceIsItsOwn) {
    for (const std::uint16_t port : {1, 80, 443, 65535}) {
        EXPECT_EQ(xdp(frame(Ipv4{.dst = "203.0.113.20"}, Tcp{.dport = port})), sent()) << port;
        EXPECT_EQ(xdp(frame(Ipv6{.dst = "2001:db8::20"}, Udp{.dport = port})), sent()) << port;
    }
    EXPECT_EQ(xdp(frame(Ipv4{.dst = "203.0.113.20"}, Udp{.dport = 80})), pass());
    EXPECT_EQ(service(4).packets, 4U);
}

TEST_F(Tunnel, WhatIsForNoServicePassesUntouched) {
    for (const Octets& packet : {frame(Ipv4{.dst = "203.0.113.10"}, Tcp{.dport = 81}),
                                 frame(Ipv4{.dst = "203.0.113.10"}, Udp{.dport = 80}),
                                 frame(Ipv4{.dst = "203.0.113.11"}, Tcp{.dport = 80}),
                                 frame(Ipv6{.dst = "2001:db8::10"}, Tcp{.dport = 81}),
                                 frame(Ipv4{.dst = "203.0.113.10", .protocol = 132}, payload(12)),
                                 // An IPv6 address that begins with the octets of an IPv4 VIP.
                                 frame(Ipv6{.dst = "cb00:710a::"}, Tcp{.dport = 80})}) {
        EXPECT_EQ(xdp(packet), pass());
        EXPECT_EQ(output(), packet);
    }
}

TEST_F(Tunnel, IcmpErrorsPass) {
    const Octets error4 = frame(Ipv4{.dst = "203.0.113.10"}, Icmp{.type = 3, .code = 4},
                                packet(Ipv4{.src = "203.0.113.10"}, Tcp{.sport = 80}));
    const Octets error6 = frame(Ipv6{.dst = "2001:db8::10"}, Icmpv6{.type = 2},
                                packet(Ipv6{.src = "2001:db8::10"}, Tcp{.sport = 80}));
    EXPECT_EQ(xdp(error4), pass());
    EXPECT_EQ(xdp(error6), pass());
}

TEST_F(Tunnel, FragmentsToAVipAreDropped) {
    EXPECT_EQ(xdp(frame(Ipv4{.dst = "203.0.113.10", .more_fragments = true}, Tcp{}, payload(8))),
              drop(REASON_VIP_FRAGMENT));
    EXPECT_EQ(xdp(frame(Ipv4{.dst = "203.0.113.10", .frag_offset = 90}, payload(8))),
              drop(REASON_VIP_FRAGMENT));
    EXPECT_EQ(xdp(frame(Ipv6{.dst = "2001:db8::10"}, Fragment{.more = true}, Tcp{}, payload(8))),
              drop(REASON_VIP_FRAGMENT));
    EXPECT_EQ(xdp(frame(Ipv4{.dst = "203.0.113.11", .frag_offset = 90}, payload(8))), pass());
    // An atomic fragment is a whole packet.
    EXPECT_EQ(xdp(frame(Ipv6{.dst = "2001:db8::10"}, Fragment{}, Tcp{})), sent());
}

TEST_F(Tunnel, PacketThatNeedsMoreThan64KiBIsTooBig) {
    // lo carries 65,536 octets; the length field of the outer header would not hold it.
    const auto sized = [](std::size_t payload_size) {
        return frame(Ipv4{.dst = "203.0.113.10"}, Udp{}, payload(payload_size));
    };
    EXPECT_EQ(xdp(sized(65535 - 20 - 20 - 8)), sent());
    EXPECT_EQ(xdp(sized(65535 - 20 - 20 - 8 + 1)), drop(REASON_TOO_BIG));
    EXPECT_EQ(xdp(sized(65535 - 20 - 8)), drop(REASON_TOO_BIG));
}

TEST_F(Tunnel, RulesComeBeforeServices) {
    apply(R"(
firewall: {ingress: {rules: [ip saddr 198.51.100.1 drop]}}
lb:
  source: 10.99.0.1
  gateway: 02:00:00:00:00:99
  services: [{vip: 203.0.113.10:80/tcp, backends: [10.0.2.2]}]
)");
    EXPECT_EQ(xdp(frame(Ipv4{.dst = "203.0.113.10"}, Tcp{})), drop(REASON_RULE));
    EXPECT_EQ(xdp(frame(Ipv4{.src = "198.51.100.2", .dst = "203.0.113.10"}, Tcp{})), sent());
    EXPECT_EQ(service(0).packets, 1U);
}

TEST_F(Tunnel, WithoutABackendItIsDropped) {
    apply(R"(
lb:
  source: 10.99.0.1
  source6: fd00:99::1
  gateway: 02:00:00:00:00:99
  services:
    - {vip: 203.0.113.10:80/tcp, backends: []}
    - {vip: "[2001:db8::10]:80/tcp", backends: []}
    - {vip: 203.0.113.11:80/tcp, backends: [10.0.2.2]}
)");
    EXPECT_EQ(xdp(frame(Ipv4{.dst = "203.0.113.10"}, Tcp{})), drop(REASON_NO_BACKEND));
    EXPECT_EQ(xdp(frame(Ipv6{.dst = "2001:db8::10"}, Tcp{})), drop(REASON_NO_BACKEND));
    EXPECT_EQ(xdp(frame(Ipv4{.dst = "203.0.113.11"}, Tcp{})), sent());
    for (const std::size_t each : {0U, 1U, 2U}) {
        EXPECT_EQ(service(each).dropped, each < 2 ? 1U : 0U) << each;
    }
}

TEST_F(Tunnel, ServiceAndBackendCountWhatTheyGot) {
    const Octets a = frame(Ipv4{.dst = "203.0.113.10"}, Tcp{.flags = kSyn}, payload(100));
    const Octets b = frame(Ipv4{.dst = "203.0.113.10"}, Tcp{});
    EXPECT_EQ(xdp(a), sent());
    EXPECT_EQ(xdp(b), sent());
    EXPECT_EQ(service(0).packets, 2U);
    EXPECT_EQ(service(0).bytes, a.size() + b.size());
    EXPECT_EQ(service(0).dropped, 0U);
    EXPECT_EQ(service(0).connections, 1U);
    EXPECT_EQ(backend(0, 0).packets, 2U);
    EXPECT_EQ(backend(0, 0).bytes, a.size() + b.size());
    EXPECT_EQ(backend(0, 0).connections, 1U);
}

TEST_F(Tunnel, WithoutASourceOfTheFamilyItIsDropped) {
    apply(R"(
lb:
  source: 10.99.0.1
  gateway: 02:00:00:00:00:99
  services:
    - {vip: 203.0.113.10:80/tcp, backends: [10.0.2.2]}
    - {vip: "[2001:db8::10]:80/tcp", backends: ["fd00:2::2"]}
)");
    EXPECT_EQ(xdp(frame(Ipv4{.dst = "203.0.113.10"}, Tcp{})), sent());
    EXPECT_EQ(xdp(frame(Ipv6{.dst = "2001:db8::10"}, Tcp{})), drop(REASON_NO_SOURCE));
    EXPECT_EQ(service(1).packets, 1U);
    EXPECT_EQ(service(1).dropped, 1U);
    EXPECT_EQ(backend(1, 0).packets, 0U);
}

class SourcePrefix : public Packets {
protected:
    // Outer source, and flow label, for a client's port.
    std::pair<std::string, unsigned> source_of(const Octets& frame) {
        EXPECT_EQ(xdp(frame), sent());
        const Decoded out = decode(output());
        EXPECT_EQ(out.faults, std::vector<std::string>{});
        return {out.ip.at(0).src, out.ip.at(0).flow_label};
    }
};

TEST_F(SourcePrefix, HostBitsOfIpv4ComeFromTheFlow) {
    apply(R"(
lb:
  source: 10.99.0.0/16
  gateway: 02:00:00:00:00:99
  services: [{vip: 203.0.113.10:80/tcp, backends: [10.0.2.2]}]
)");
    std::set<std::string> sources;
    for (std::uint16_t port = 1024; port < 1524; ++port) {
        const Octets packet = frame(Ipv4{.dst = "203.0.113.10"}, Tcp{.sport = port});
        const auto [source, label] = source_of(packet);
        EXPECT_EQ(source.compare(0, 6, "10.99."), 0) << source;
        EXPECT_EQ(source_of(packet).first, source) << "another source for the same flow";
        sources.insert(source);
    }
    // 500 of 65,536: about two meet by chance.
    EXPECT_GT(sources.size(), 480U);
}

TEST_F(SourcePrefix, NetworkAndLengthAreKeptAtAnyLength) {
    for (const int length : {8, 15, 24, 31}) {
        apply("lb: {source: 10.98.6.4/" + std::to_string(length) +
              ", gateway: '02:00:00:00:00:99', services: [{vip: '203.0.113.10:80/tcp', backends: "
              "[10.0.2.2]}]}");
        const Prefix prefix(*IpAddr::parse("10.98.6.4"), length);
        std::set<std::string> sources;
        for (std::uint16_t port = 1024; port < 1124; ++port) {
            const auto source =
                source_of(frame(Ipv4{.dst = "203.0.113.10"}, Tcp{.sport = port})).first;
            EXPECT_TRUE(prefix.contains(Prefix(*IpAddr::parse(source), 32))) << source;
            sources.insert(source);
        }
        EXPECT_GT(sources.size(), length == 31 ? 1U : 30U) << length;
    }
}

TEST_F(SourcePrefix, HostBitsOfIpv6ComeFromTheFlow) {
    apply(R"(
lb:
  source6: fd00:99::/64
  gateway: 02:00:00:00:00:99
  services: [{vip: "[2001:db8::10]:80/tcp", backends: ["fd00:2::2"]}]
)");
    const Prefix prefix = *Prefix::parse("fd00:99::/64");
    std::set<std::string> sources;
    std::set<unsigned> labels;
    for (std::uint16_t port = 1024; port < 1524; ++port) {
        const Octets packet = frame(Ipv6{.dst = "2001:db8::10"}, Tcp{.sport = port});
        const auto found = source_of(packet);
        EXPECT_TRUE(prefix.contains(Prefix(*IpAddr::parse(found.first), 128))) << found.first;
        EXPECT_EQ(source_of(packet), found);
        sources.insert(found.first);
        labels.insert(found.second);
    }
    EXPECT_EQ(sources.size(), 500U);
    EXPECT_GT(labels.size(), 495U); // 20 bits: RFC 6438
}

} // namespace
} // namespace weir::test
