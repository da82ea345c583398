#include "prog/packets.h"

#include <chrono>
#include <cstring>

#include "support/private_network.h"

// A node with routes and neighbours of its own: in0 is where packets arrive, out0 leads to the
// backends, a router 10.0.2.254 stands before 10.0.9.0/24.
namespace weir::test {
namespace {

constexpr const char* kIn = "02:00:00:00:01:01";
constexpr const char* kOut = "02:00:00:00:02:01";
constexpr const char* kBackendMac = "02:00:00:00:02:02";
constexpr const char* kRouterMac = "02:00:00:00:02:fe";
constexpr const char* kNeighbourOfIn = "02:00:00:00:01:05";

class NextHop : public Packets {
protected:
    void SetUp() override {
        Packets::SetUp();
        network_.ip("link add in0 address 02:00:00:00:01:01 type veth peer name in1");
        network_.ip("link add out0 address 02:00:00:00:02:01 type veth peer name out1");
        for (const char* name : {"in0", "in1", "out0", "out1"}) {
            network_.ip(std::string("link set ") + name + " up");
        }
        network_.ip("address add 10.0.1.1/24 dev in0");
        network_.ip("address add 10.0.2.1/24 dev out0");
        network_.ip("address add fd00:1::1/64 dev in0 nodad");
        network_.ip("address add fd00:2::1/64 dev out0 nodad");
        network_.ip("route add 10.0.9.0/24 via 10.0.2.254");
        network_.ip("route add fd00:9::/64 via fd00:2::fe");
        neighbour("10.0.2.2", kBackendMac, "out0");
        neighbour("fd00:2::2", kBackendMac, "out0");
        neighbour("10.0.2.254", kRouterMac, "out0");
        neighbour("fd00:2::fe", kRouterMac, "out0");
        neighbour("10.0.1.5", kNeighbourOfIn, "in0");
        network_.sysctl("net/ipv4/ip_forward", "1");
        network_.sysctl("net/ipv6/conf/all/forwarding", "1");
        network_.switch_gro_on("out1"); // or nothing is to be redirected to out0
        in_.ifindex = network_.ifindex("in0");
    }

    void neighbour(const std::string& address, const char* mac, const char* device) {
        network_.ip("neighbour replace " + address + " lladdr " + mac + " dev " + device +
                    " nud permanent");
    }
    void serve(const std::string& forward, const std::string& backend,
               const std::string& gateway = "", int vlan = 0) {
        const bool v6 = backend.find(':') != std::string::npos;
        apply("lb:\n  source: 10.99.0.1\n  source6: fd00:99::1\n" +
              (gateway.empty() ? "" : "  gateway: " + gateway + "\n") +
              "  services:\n    - {vip: '" + (v6 ? "[2001:db8::10]" : "203.0.113.10") +
              ":80/tcp', " + (vlan == 0 ? "" : "vlan: " + std::to_string(vlan) + ", ") +
              "forward: " + forward + ", backends: ['" + backend + "']}\n");
    }
    Fate arrive(const Octets& packet) { return xdp(packet, in_); }

    void expect_output(const Octets& expected) const {
        EXPECT_EQ(hex(output()), hex(expected));
        EXPECT_EQ(decode(output()).faults, std::vector<std::string>{});
    }

    // Within a second, which is what the documentation promises.
    template <typename Condition>
    static void eventually(const Condition& holds) {
        const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(1);
        for (bool late = false; !holds(); late = std::chrono::steady_clock::now() >= until) {
            ASSERT_FALSE(late);
        }
    }

    // What XDP wrote for TC: where it met the packet; interface, family, next hop.
    void expect_handover(std::uint32_t ifindex, std::uint32_t family, const std::string& next_hop) {
        struct {
            std::uint32_t magic, judged_on, ifindex, family;
            std::uint8_t address[16];
        } record{};
        ASSERT_EQ(metadata().size(), sizeof(record));
        std::memcpy(&record, metadata().data(), sizeof(record));
        EXPECT_EQ(record.judged_on, in_.ifindex);
        EXPECT_EQ(record.ifindex, ifindex);
        EXPECT_EQ(record.family, family);
        const IpAddr expected = *IpAddr::parse(next_hop);
        const auto count = static_cast<std::size_t>(expected.bits() / 8);
        EXPECT_EQ(std::memcmp(record.address, expected.octets().data(), count), 0);
    }

    PrivateNetwork network_;
    Arrival in_;
    const Ipv4 to_vip_{.dst = "203.0.113.10"};
    const Ipv6 to_vip6_{.dst = "2001:db8::10"};
    const Ipv4 outer_{
        .src = "10.99.0.1", .dst = "10.0.2.2", .id = 0, .dont_fragment = true, .ttl = 64};
};

TEST_F(NextHop, TunnelledPacketIsRedirectedToTheBackendsLink) {
    serve("ipip", "10.0.2.2");
    EXPECT_EQ(arrive(frame(to_vip_, Tcp{})), redirected());
    expect_output(frame(Ether{.src = kOut, .dst = kBackendMac}, outer_, to_vip_, Tcp{}));

    serve("ipip", "fd00:2::2");
    EXPECT_EQ(arrive(frame(to_vip6_, Tcp{})), redirected());
    const Decoded out = decode(output());
    EXPECT_EQ(out.faults, std::vector<std::string>{});
    EXPECT_EQ(out.dst_mac, kBackendMac);
    EXPECT_EQ(out.src_mac, kOut);
    EXPECT_EQ(out.ip.at(0).dst, "fd00:2::2");
}

TEST_F(NextHop, TunnelledPacketGoesByTheRouterWhereThereIsOne) {
    serve("ipip", "10.0.9.7");
    EXPECT_EQ(arrive(frame(to_vip_, Tcp{})), redirected());
    Ipv4 outer = outer_;
    outer.dst = "10.0.9.7";
    expect_output(frame(Ether{.src = kOut, .dst = kRouterMac}, outer, to_vip_, Tcp{}));
}

TEST_F(NextHop, BackendOnTheSameLinkIsSentBackTagsAndAll) {
    serve("ipip", "10.0.1.5", "", 7);
    EXPECT_EQ(arrive(frame(Vlan{.id = 7}, to_vip_, Tcp{})), sent());
    Ipv4 outer = outer_;
    outer.dst = "10.0.1.5";
    expect_output(
        frame(Ether{.src = kIn, .dst = kNeighbourOfIn}, Vlan{.id = 7}, outer, to_vip_, Tcp{}));
}

TEST_F(NextHop, TagsStayBehindOnAnotherLink) {
    serve("ipip", "10.0.2.2", "", 7);
    EXPECT_EQ(arrive(frame(Vlan{.id = 7}, Vlan{.id = 8}, to_vip_, Tcp{})), redirected());
    expect_output(frame(Ether{.src = kOut, .dst = kBackendMac}, outer_, to_vip_, Tcp{}));
    serve("l2dsr", "10.0.2.2", "", 7);
    EXPECT_EQ(arrive(frame(Vlan{.id = 7}, Vlan{.id = 8}, to_vip_, Tcp{})), redirected());
    expect_output(frame(Ether{.src = kOut, .dst = kBackendMac}, to_vip_, Tcp{}));
}

TEST_F(NextHop, DirectServerReturnChangesNothingButTheLink) {
    const Ipv4 inner{.dst = "203.0.113.10", .tos = 0x10, .options = Octets(4, 1)};
    serve("l2dsr", "10.0.2.2");
    EXPECT_EQ(arrive(frame(inner, Tcp{.flags = kSyn})), redirected());
    expect_output(frame(Ether{.src = kOut, .dst = kBackendMac}, inner, Tcp{.flags = kSyn}));

    serve("l2dsr", "fd00:2::2");
    EXPECT_EQ(arrive(frame(to_vip6_, HopByHop{}, Tcp{})), redirected());
    expect_output(frame(Ether{.src = kOut, .dst = kBackendMac}, to_vip6_, HopByHop{}, Tcp{}));

    serve("l2dsr", "10.0.1.5", "", 7);
    EXPECT_EQ(arrive(frame(Vlan{.id = 7}, to_vip_, Tcp{})), sent());
    expect_output(frame(Ether{.src = kIn, .dst = kNeighbourOfIn}, Vlan{.id = 7}, to_vip_, Tcp{}));
}

TEST_F(NextHop, DirectServerReturnDoesNotReachBehindARouter) {
    serve("l2dsr", "10.0.9.7");
    EXPECT_EQ(arrive(frame(to_vip_, Tcp{})), drop(REASON_NOT_ON_LINK));
    serve("l2dsr", "fd00:9::7");
    EXPECT_EQ(arrive(frame(to_vip6_, Tcp{})), drop(REASON_NOT_ON_LINK));
    EXPECT_EQ(service(0).dropped, 1U);

    // Nor by the kernel, whether the router is resolved or not: it would send the packet back.
    weir().add_interface(in_.ifindex, "in0", ROLE_BALANCER,
                         1U << HOOK_XDP | 1U << HOOK_TC_INGRESS);
    weir().forget_ways();
    EXPECT_EQ(arrive(frame(to_vip6_, Tcp{})), drop(REASON_NOT_ON_LINK));
    network_.ip("-6 neighbour del fd00:2::fe dev out0");
    weir().forget_ways();
    EXPECT_EQ(arrive(frame(to_vip6_, Tcp{})), drop(REASON_NOT_ON_LINK));
}

TEST_F(NextHop, UnknownNeighbourIsHandedToTheKernel) {
    const auto out = network_.ifindex("out0");
    Ipv4 outer = outer_;

    serve("ipip", "10.0.2.77", "", 7);
    EXPECT_EQ(arrive(frame(Vlan{.id = 7}, to_vip_, Tcp{})), pass());
    outer.dst = "10.0.2.77";
    expect_output(
        frame(outer, to_vip_, Tcp{})); // the frame's own addresses, or it would be refused
    expect_handover(out, 2, "10.0.2.77");

    serve("l2dsr", "10.0.2.77");
    EXPECT_EQ(arrive(frame(to_vip_, Tcp{})), pass());
    expect_output(frame(to_vip_, Tcp{}));
    expect_handover(out, 2, "10.0.2.77");

    serve("ipip", "fd00:2::77");
    EXPECT_EQ(arrive(frame(to_vip6_, Tcp{})), pass());
    EXPECT_EQ(decode(output()).faults, std::vector<std::string>{});
    expect_handover(out, 10, "fd00:2::77");

    EXPECT_EQ(books(HOOK_XDP, in_.ifindex).handed_over, 3U);
    EXPECT_EQ(backend(0, 0).packets, 1U);
}

// XDP cannot send out of it, and bpf_redirect() would not say so.
TEST_F(NextHop, WhatADeviceTakesNoFramesOfIsSentByTheKernelOrDropped) {
    network_.ip("link add bridge5 type bridge");
    network_.ip("link set bridge5 up");
    network_.ip("address add 10.0.5.1/24 dev bridge5");
    neighbour("10.0.5.2", kBackendMac, "bridge5");

    serve("ipip", "10.0.5.2");
    EXPECT_EQ(arrive(frame(to_vip_, Tcp{})), drop(REASON_NO_XDP_SEND));

    weir().add_interface(in_.ifindex, "in0", ROLE_BALANCER,
                         1U << HOOK_XDP | 1U << HOOK_TC_INGRESS);
    EXPECT_EQ(arrive(frame(to_vip_, Tcp{})), pass());
    expect_handover(network_.ifindex("bridge5"), 2, "10.0.5.2");
    EXPECT_EQ(books(HOOK_XDP, in_.ifindex).handed_over, 1U);
}

TEST_F(NextHop, UnknownRouterIsHandedOverInTheBackendsPlace) {
    network_.ip("route add 10.0.8.0/24 via 10.0.2.253");
    serve("ipip", "10.0.8.1");
    EXPECT_EQ(arrive(frame(to_vip_, Tcp{})), pass());
    expect_handover(network_.ifindex("out0"), 2, "10.0.2.253");
}

TEST_F(NextHop, BackendWithoutARouteIsDropped) {
    serve("ipip", "172.16.0.1");
    EXPECT_EQ(arrive(frame(to_vip_, Tcp{})), drop(REASON_NO_ROUTE));
    serve("ipip", "fd00:77::1");
    EXPECT_EQ(arrive(frame(to_vip6_, Tcp{})), drop(REASON_NO_ROUTE));
    network_.ip("route add unreachable 10.7.0.0/24");
    serve("l2dsr", "10.7.0.1");
    EXPECT_EQ(arrive(frame(to_vip_, Tcp{})), drop(REASON_NO_ROUTE));
}

// The kernel's look-up answers for it as for no route at all.
TEST_F(NextHop, BackendThatIsThisNodeIsDropped) {
    serve("ipip", "10.0.2.1");
    EXPECT_EQ(arrive(frame(to_vip_, Tcp{})), drop(REASON_NO_ROUTE));
    serve("ipip", "fd00:2::1");
    EXPECT_EQ(arrive(frame(to_vip6_, Tcp{})), drop(REASON_NO_ROUTE));
}

TEST_F(NextHop, ForwardingThatIsOffIsNamed) {
    network_.sysctl("net/ipv4/ip_forward", "0");
    network_.sysctl("net/ipv6/conf/all/forwarding", "0");
    serve("ipip", "10.0.2.2");
    EXPECT_EQ(arrive(frame(to_vip_, Tcp{})), drop(REASON_FORWARDING_OFF));
    serve("ipip", "fd00:2::2");
    EXPECT_EQ(arrive(frame(to_vip6_, Tcp{})), drop(REASON_FORWARDING_OFF));
}

TEST_F(NextHop, PacketThatFitsTheLinkOnlyWithoutItsOuterHeaderIsTooBig) {
    const auto sized = [&](std::size_t ip_length) {
        return frame(to_vip_, Tcp{}, payload(ip_length - 40));
    };
    serve("ipip", "10.0.2.2");
    EXPECT_EQ(arrive(sized(1480)), redirected());
    EXPECT_EQ(arrive(sized(1481)), drop(REASON_TOO_BIG));
    serve("l2dsr", "10.0.2.2");
    EXPECT_EQ(arrive(sized(1500)), redirected());
    EXPECT_EQ(arrive(sized(1501)), drop(REASON_TOO_BIG));
    serve("ipip", "fd00:2::2");
    EXPECT_EQ(arrive(frame(to_vip6_, Tcp{}, payload(1460 - 60))), redirected());
    EXPECT_EQ(arrive(frame(to_vip6_, Tcp{}, payload(1461 - 60))), drop(REASON_TOO_BIG));
}

TEST_F(NextHop, ByAGatewayTheLimitIsTheInterfacesOwnWhateverTheTags) {
    const auto sized = [&](std::size_t ip_length) {
        return frame(Vlan{}, Vlan{}, to_vip_, Tcp{}, payload(ip_length - 40));
    };
    serve("ipip", "10.0.2.2", "02:00:00:00:00:99", 1);
    EXPECT_EQ(arrive(sized(1480)), sent());
    EXPECT_EQ(arrive(sized(1481)), drop(REASON_TOO_BIG));
    // In several buffers.
    EXPECT_EQ(arrive(sized(9000)), drop(REASON_TOO_BIG));
    network_.ip("link set in0 mtu 9000");
    weir().forget_ways();
    EXPECT_EQ(arrive(sized(8980)), sent());
    EXPECT_EQ(arrive(sized(8981)), drop(REASON_TOO_BIG));
}

// Each finds its own way back, and its own limit, whoever came before it on this CPU.
TEST_F(NextHop, InterfacesDoNotTakeEachOthersWay) {
    constexpr std::pair<const char*, int> kOthers[] = {{"in2", 1400}, {"in4", 1300}};
    for (const auto& [name, mtu] : kOthers) {
        network_.ip(std::string("link add ") + name + " mtu " + std::to_string(mtu) +
                    " type veth peer name peer-" + name);
        network_.ip(std::string("link set ") + name + " up");
    }
    serve("ipip", "10.0.2.2", "02:00:00:00:00:99");
    for (int turn = 0; turn < 3; ++turn) {
        for (const auto& [name, mtu] : {std::pair("in0", 1500), kOthers[0], kOthers[1]}) {
            SCOPED_TRACE(name);
            const Arrival at{.ifindex = network_.ifindex(name)};
            const auto most = static_cast<std::size_t>(mtu - 20 - 40);
            EXPECT_EQ(xdp(frame(to_vip_, Tcp{}, payload(most)), at), sent());
            EXPECT_EQ(xdp(frame(to_vip_, Tcp{}, payload(most + 1)), at), drop(REASON_TOO_BIG));
        }
    }
}

TEST_F(NextHop, ChangedConfigurationIsFollowedAtOnce) {
    const Octets packet = frame(to_vip_, Tcp{});
    const auto twice = [&] { // the second by a way that is known
        EXPECT_EQ(arrive(packet), arrive(packet));
        return decode(output());
    };
    serve("ipip", "10.0.2.2");
    EXPECT_EQ(twice().ip.at(0).dst, "10.0.2.2");
    serve("ipip", "10.0.9.7");
    EXPECT_EQ(twice().ip.at(0).dst, "10.0.9.7");
    EXPECT_EQ(decode(output()).dst_mac, kRouterMac);
    serve("ipip", "10.0.9.7", "02:00:00:00:00:99");
    EXPECT_EQ(twice().dst_mac, "02:00:00:00:00:99");
    serve("l2dsr", "10.0.2.2");
    EXPECT_EQ(twice().ip.at(0).dst, "203.0.113.10");
    EXPECT_EQ(decode(output()).dst_mac, kBackendMac);
    serve("l2dsr", "10.0.9.7");
    EXPECT_EQ(arrive(packet), drop(REASON_NOT_ON_LINK));
    EXPECT_EQ(arrive(packet), drop(REASON_NOT_ON_LINK));
}

// For a third of a second at most; then the path asks again.
TEST_F(NextHop, ChangedNeighbourIsFollowed) {
    serve("ipip", "10.0.2.2");
    EXPECT_EQ(arrive(frame(to_vip_, Tcp{})), redirected());
    neighbour("10.0.2.2", "02:00:00:00:02:77", "out0");
    eventually([&] {
        EXPECT_EQ(arrive(frame(to_vip_, Tcp{})), redirected());
        return decode(output()).dst_mac == "02:00:00:00:02:77";
    });
}

TEST_F(NextHop, ChangedRouteIsFollowed) {
    serve("ipip", "10.0.9.7");
    EXPECT_EQ(arrive(frame(to_vip_, Tcp{})), redirected());
    network_.ip("route replace 10.0.9.0/24 via 10.0.1.5");
    eventually([&] { return arrive(frame(to_vip_, Tcp{})) == sent(); });
    network_.ip("route del 10.0.9.0/24");
    eventually([&] { return arrive(frame(to_vip_, Tcp{})) == drop(REASON_NO_ROUTE); });
}

// A neighbour that is only believed to be there is asked by a packet that the kernel sends.
TEST_F(NextHop, NeighbourIsConfirmedByThePacketsOfTheKernel) {
    weir().add_interface(in_.ifindex, "in0", ROLE_BALANCER,
                         1U << HOOK_XDP | 1U << HOOK_TC_INGRESS);
    serve("ipip", "10.0.2.2");
    EXPECT_EQ(arrive(frame(to_vip_, Tcp{})), pass());
    expect_handover(network_.ifindex("out0"), 2, "10.0.2.2");
    EXPECT_EQ(arrive(frame(to_vip_, Tcp{})), redirected()) << "the next ones go by themselves";
    weir().forget_ways();
    EXPECT_EQ(arrive(frame(to_vip_, Tcp{})), redirected()) << "not before two seconds";
}

} // namespace
} // namespace weir::test
