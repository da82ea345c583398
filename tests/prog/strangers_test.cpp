#include "prog/packets.h"

// Packets as other balancers and filters are tried with: their addresses, ports and cases, from
// what is published about them.
namespace weir::test {
namespace {

// An XDP balancer's: clients 192.168.1.x and fc00:2::x from port 31337 on, VIPs in 10.200.1.0/24
// and fc00:1::/64, backends 10.0.0.x and fc00::x, one fixed next hop.
class OtherBalancer : public Packets {
protected:
    void SetUp() override {
        Packets::SetUp();
        apply(R"(
lb:
  source: 172.16.0.0/16
  source6: 0100::/64
  gateway: 00:00:de:ad:be:af
  services:
    - {vip: 10.200.1.1:80/udp, backends: [10.0.0.1, 10.0.0.2, 10.0.0.3]}
    - {vip: 10.200.1.1:80/tcp, backends: [10.0.0.1, 10.0.0.2, 10.0.0.3]}
    - {vip: 10.200.1.2:any/tcp, backends: [10.0.0.1, 10.0.0.2, 10.0.0.3]}
    - {vip: 10.200.1.5:443/udp, backends: [10.0.0.1, 10.0.0.2, 10.0.0.3]}
    - {vip: "[fc00:1::1]:80/tcp", backends: ["fc00::1", "fc00::2", "fc00::3"]}
    - {vip: "[fc00:1::2]:443/udp", backends: ["fc00::1", "fc00::2", "fc00::3"]}
)");
    }

    // It left for a backend, whole, in a header of its family.
    void expect_tunnelled(const std::string& network, const Raw& inner) {
        const Decoded out = decode(output());
        EXPECT_EQ(out.faults, std::vector<std::string>{});
        ASSERT_EQ(out.ip.size(), 2U);
        EXPECT_EQ(out.dst_mac, "00:00:de:ad:be:af");
        EXPECT_EQ(out.src_mac, kOurMac);
        EXPECT_EQ(out.ip[0].dst.compare(0, network.size(), network), 0) << out.ip[0].dst;
        const std::size_t headers = out.ip[0].version == 4 ? 34 : 54;
        EXPECT_EQ(hex(Octets(output().begin() + static_cast<long>(headers), output().end())),
                  hex(inner.octets));
    }
    const Raw data_ = payload("a test packet");
    const Ipv4 client_{.src = "192.168.1.1", .dst = "10.200.1.1", .ttl = 64};
    const Ipv6 client6_{.src = "fc00:2::1", .dst = "fc00:1::1", .hop_limit = 64};
};

TEST_F(OtherBalancer, UdpToAnIpv4Vip) {
    const Udp udp{.sport = 31337, .dport = 80};
    EXPECT_EQ(xdp(frame(client_, udp, data_)), sent());
    expect_tunnelled("10.0.0.", packet(client_, udp, data_));
}

TEST_F(OtherBalancer, TcpToAnIpv4Vip) {
    const Tcp tcp{.sport = 31337, .dport = 80};
    EXPECT_EQ(xdp(frame(client_, tcp, data_)), sent());
    expect_tunnelled("10.0.0.", packet(client_, tcp, data_));
}

TEST_F(OtherBalancer, TcpToAnyPortOfAVip) {
    const Ipv4 any{.src = "192.168.1.1", .dst = "10.200.1.2"};
    EXPECT_EQ(xdp(frame(any, Tcp{.sport = 31337, .dport = 42}, data_)), sent());
    expect_tunnelled("10.0.0.", packet(any, Tcp{.sport = 31337, .dport = 42}, data_));
}

TEST_F(OtherBalancer, TcpToAnIpv6Vip) {
    const Tcp tcp{.sport = 31337, .dport = 80};
    EXPECT_EQ(xdp(frame(client6_, tcp, data_)), sent());
    expect_tunnelled("fc00::", packet(client6_, tcp, data_));
}

TEST_F(OtherBalancer, QuicToBothFamilies) {
    const Udp udp{.sport = 31337, .dport = 443};
    const Ipv4 ip{.src = "192.168.1.42", .dst = "10.200.1.5"};
    const Ipv6 ip6{.src = "fc00:2::42", .dst = "fc00:1::2"};
    EXPECT_EQ(xdp(frame(ip, udp, payload(1200, 0xc0))), sent());
    expect_tunnelled("10.0.0.", packet(ip, udp, payload(1200, 0xc0)));
    EXPECT_EQ(xdp(frame(ip6, udp, payload(1200, 0xc0))), sent());
    expect_tunnelled("fc00::", packet(ip6, udp, payload(1200, 0xc0)));
}

TEST_F(OtherBalancer, SameFlowGoesToTheSameBackendAlsoWithTypeOfService) {
    const Udp udp{.sport = 31337, .dport = 80};
    Ipv4 marked = client_;
    marked.tos = 0x8c;
    EXPECT_EQ(xdp(frame(client_, udp)), sent());
    const std::string backend = decode(output()).ip.at(0).dst;
    EXPECT_EQ(xdp(frame(marked, udp)), sent());
    EXPECT_EQ(decode(output()).ip.at(0).dst, backend);
    EXPECT_EQ(decode(output()).ip.at(0).tos, 0x8cU);
}

TEST_F(OtherBalancer, EchoRequestsToBothFamilies) {
    EXPECT_EQ(xdp(frame(client_, Icmp{}, data_)), sent());
    EXPECT_EQ(decode(output()).ip.at(0).dst, "192.168.1.1");
    EXPECT_EQ(decode(output()).faults, std::vector<std::string>{});
    EXPECT_EQ(xdp(frame(client6_, Icmpv6{}, data_)), sent());
    EXPECT_EQ(decode(output()).ip.at(0).dst, "fc00:2::1");
    EXPECT_EQ(decode(output()).faults, std::vector<std::string>{});
}

TEST_F(OtherBalancer, UnknownVipsAndPortsPass) {
    EXPECT_EQ(xdp(frame(Ipv4{.src = "192.168.1.1", .dst = "10.200.1.6"}, Tcp{})), pass());
    EXPECT_EQ(xdp(frame(client_, Udp{.sport = 31337, .dport = 82})), pass());
    EXPECT_EQ(xdp(frame(Ipv6{.src = "fc00:2::1", .dst = "fc00:1::9"}, Tcp{})), pass());
    EXPECT_EQ(xdp(frame(Ipv4{.src = "192.168.1.1", .dst = "10.200.1.1", .protocol = 2}, data_)),
              pass()); // IGMP
    EXPECT_EQ(xdp(frame(Arp{})), pass());
}

TEST_F(OtherBalancer, FragmentsOfBothFamiliesAreDropped) {
    Ipv4 first = client_;
    first.more_fragments = true;
    EXPECT_EQ(xdp(frame(first, Tcp{.sport = 31337}, data_)), drop(REASON_VIP_FRAGMENT));
    EXPECT_EQ(xdp(frame(client6_, Fragment{.more = true}, Tcp{.sport = 31337}, data_)),
              drop(REASON_VIP_FRAGMENT));
    EXPECT_EQ(xdp(frame(client6_, Fragment{.offset = 180}, Tcp{.sport = 31337}, data_)),
              drop(REASON_VIP_FRAGMENT));
}

TEST_F(OtherBalancer, BrokenHeadersAreDropped) {
    EXPECT_EQ(xdp(frame(Ipv4{.dst = "10.200.1.1", .protocol = 6}, payload(4))),
              drop(REASON_TRUNCATED));
    EXPECT_EQ(xdp(frame(Ipv4{.dst = "10.200.1.1", .protocol = 17}, payload(4))),
              drop(REASON_TRUNCATED));
    EXPECT_EQ(xdp(frame(Ipv4{.dst = "10.200.1.1", .header_words = 4}, Udp{})),
              drop(REASON_BAD_IP_HEADER));
    EXPECT_EQ(xdp(first(14 + 10, frame(client_, Tcp{}))), drop(REASON_TRUNCATED));
    EXPECT_EQ(xdp(first(14 + 10, frame(client6_, Tcp{}))), drop(REASON_TRUNCATED));
}

// "Fragmentation needed" and "packet too big" from a router on the way to the client.
TEST_F(OtherBalancer, IcmpErrorsAboutItsFlowsPass) {
    EXPECT_EQ(
        xdp(frame(Ipv4{.src = "192.168.100.1", .dst = "10.200.1.1"}, Icmp{.type = 3, .code = 4},
                  packet(Ipv4{.src = "10.200.1.1", .dst = "192.168.1.1"},
                         Tcp{.sport = 80, .dport = 31337}))),
        pass());
    EXPECT_EQ(xdp(frame(Ipv6{.src = "fc00:200::1", .dst = "fc00:1::1"}, Icmpv6{.type = 2},
                        packet(Ipv6{.src = "fc00:1::1", .dst = "fc00:2::1"},
                               Tcp{.sport = 80, .dport = 31337}))),
              pass());
    // What is no error is the VIP's own: the balancer answers it.
    EXPECT_EQ(xdp(frame(Ipv4{.src = "192.168.100.1", .dst = "10.200.1.1"}, Icmp{})), sent());
    EXPECT_EQ(xdp(frame(Ipv6{.src = "fc00:200::1", .dst = "fc00:1::1"}, Icmpv6{})), sent());
}

// Filters': one rule on each layer, in allow and in deny lists, and the ways around them.
class OtherFilter : public Packets {};

TEST_F(OtherFilter, DenyListsOfAddressesPortsAndMacs) {
    apply(R"(
firewall:
  ingress:
    rules:
      - ether saddr aa:bb:cc:dd:ee:ff drop
      - ip saddr 10.11.1.2 drop
      - ip6 daddr fc00:dead:cafe:1::2 drop
      - tcp dport 10000 drop
      - udp sport 10000 drop
)");
    // Each beside one that differs in that field alone.
    EXPECT_EQ(xdp(frame(Ether{.src = "aa:bb:cc:dd:ee:ff"}, Ipv4{}, Udp{})), drop(REASON_RULE));
    EXPECT_EQ(xdp(frame(Ether{.src = "aa:bb:cc:dd:ee:fe"}, Ipv4{}, Udp{})), pass());
    EXPECT_EQ(xdp(frame(Ipv4{.src = "10.11.1.2"}, Icmp{})), drop(REASON_RULE));
    EXPECT_EQ(xdp(frame(Ipv4{.src = "10.11.1.3"}, Icmp{})), pass());
    EXPECT_EQ(xdp(frame(Ipv6{.dst = "fc00:dead:cafe:1::2"}, Icmpv6{})), drop(REASON_RULE));
    EXPECT_EQ(xdp(frame(Ipv6{.dst = "fc00:dead:cafe:1::3"}, Icmpv6{})), pass());
    EXPECT_EQ(xdp(frame(Ipv6{}, Tcp{.dport = 10000})), drop(REASON_RULE));
    EXPECT_EQ(xdp(frame(Ipv6{}, Tcp{.dport = 10001})), pass());
    EXPECT_EQ(xdp(frame(Ipv4{}, Udp{.sport = 10000})), drop(REASON_RULE));
    EXPECT_EQ(xdp(frame(Ipv4{}, Udp{.sport = 10001})), pass());
    EXPECT_EQ(xdp(frame(Ipv4{}, Udp{.dport = 10000})), pass());
    for (const std::size_t each : {0U, 1U, 2U, 3U, 4U}) {
        EXPECT_EQ(rule(each).packets, 1U) << each;
    }
}

TEST_F(OtherFilter, AllowListDeniesTheRest) {
    apply(R"(
firewall:
  ingress:
    policy: drop
    rules: [tcp dport 10000 accept, "ip6 saddr fc00:dead:cafe:1::/64 accept"]
)");
    EXPECT_EQ(xdp(frame(Ipv4{}, Tcp{.dport = 10000})), pass());
    EXPECT_EQ(xdp(frame(Ipv6{.src = "fc00:dead:cafe:1::7"}, Icmpv6{})), pass());
    EXPECT_EQ(xdp(frame(Ipv4{}, Udp{.dport = 10000})), drop(REASON_POLICY));
    EXPECT_EQ(xdp(frame(Ipv6{.src = "fc00:dead:cafe:2::7"}, Icmpv6{})), drop(REASON_POLICY));
}

// Headers that a filter may not look behind. It does: of two packets that differ in the port alone,
// the one is dropped by its rule and the other passes.
TEST_F(OtherFilter, NoHeaderHidesAPort) {
    apply("firewall: {ingress: {rules: [udp dport 53 drop, tcp dport 22 drop]}}");
    const auto expect_judged_by_port = [&](auto with_port, std::uint16_t forbidden) {
        EXPECT_EQ(xdp(with_port(forbidden)), drop(REASON_RULE));
        EXPECT_EQ(xdp(with_port(forbidden + 1)), pass());
    };
    using Port = std::uint16_t;
    expect_judged_by_port([](Port port) { return frame(Vlan{}, Ipv4{}, Udp{.dport = port}); }, 53);
    expect_judged_by_port(
        [](Port port) { return frame(Vlan{.tpid = 0x88a8}, Vlan{}, Ipv6{}, Udp{.dport = port}); },
        53);
    expect_judged_by_port([](Port port) { return frame(Ipv6{}, Routing{}, Udp{.dport = port}); },
                          53);
    expect_judged_by_port([](Port port) { return frame(Ipv6{}, Ah{}, Tcp{.dport = port}); }, 22);
    expect_judged_by_port(
        [](Port port) {
            return frame(Ipv6{}, HopByHop{.options = Octets(62, 0)}, Udp{.dport = port});
        },
        53);
    expect_judged_by_port(
        [](Port port) { return frame(Ipv4{.options = Octets(40, 1)}, Tcp{.dport = port}); }, 22);
    expect_judged_by_port([](Port port) { return frame(Ipv6{}, Fragment{}, Tcp{.dport = port}); },
                          22);
    EXPECT_EQ(rule(0).packets, 4U);
    EXPECT_EQ(rule(1).packets, 3U);
}

// Packets without the ports that a rule looks for, or with ones that the receiver replaces. Beside
// each stands one that differs in this alone, to a port that is allowed, and passes.
TEST_F(OtherFilter, PacketsWithoutTheirPortsAreDropped) {
    apply("firewall: {ingress: {rules: [udp dport 53 drop, tcp dport 22 drop]}}");
    const Udp udp{.dport = 54};
    EXPECT_EQ(xdp(frame(Ipv6{}, Routing{.segments_left = 1}, udp)), drop(REASON_ROUTING_HEADER));
    EXPECT_EQ(xdp(frame(Ipv6{}, Routing{.segments_left = 0}, udp)), pass());

    EXPECT_EQ(xdp(first(14 + 20 + 4, frame(Ipv4{.total_length = 24}, udp))),
              drop(REASON_TRUNCATED));
    EXPECT_EQ(xdp(first(14 + 20 + 8, frame(Ipv4{.total_length = 28}, udp))), pass());

    const Ipv4 first_fragment{.more_fragments = true, .protocol = 6};
    EXPECT_EQ(xdp(frame(first_fragment, payload(8, 0x50))), drop(REASON_TINY_FRAGMENT));
    EXPECT_EQ(xdp(frame(first_fragment, payload(20, 0x50))), pass()); // a TCP header of 5 words

    EXPECT_EQ(xdp(frame(Ipv4{.frag_offset = 1, .protocol = 6}, payload(8))),
              drop(REASON_TINY_FRAGMENT));
    EXPECT_EQ(xdp(frame(Ipv4{.frag_offset = 2, .protocol = 6}, payload(8))), pass());
    EXPECT_EQ(rule(0).packets + rule(1).packets, 0U);
}

} // namespace
} // namespace weir::test
