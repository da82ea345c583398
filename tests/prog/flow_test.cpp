#include "prog/packets.h"

#include <cmath>
#include <set>

// Which backend a flow goes to, and when it stays there.
namespace weir::test {
namespace {

class Flows : public Packets {
protected:
    // One service, 203.0.113.10:80/tcp and :53/udp, with these backends in YAML.
    void with_backends(const std::string& list) {
        apply("lb:\n  source: 10.99.0.1\n  source6: fd00:99::1\n  gateway: 02:00:00:00:00:99\n"
              "  services:\n"
              "    - {vip: '203.0.113.10:80/tcp', backends: [" +
              list +
              "]}\n"
              "    - {vip: '203.0.113.10:53/udp', backends: [" +
              list + "]}\n");
    }
    static Octets tcp(std::uint16_t sport, std::uint8_t flags, const char* src = "198.51.100.1") {
        return frame(Ipv4{.src = src, .dst = "203.0.113.10"}, Tcp{.sport = sport, .flags = flags});
    }
    static Octets udp(std::uint16_t sport) {
        return frame(Ipv4{.dst = "203.0.113.10"}, Udp{.sport = sport});
    }
    // Where the packet was sent.
    std::string to(const Octets& packet) {
        EXPECT_EQ(xdp(packet), sent());
        return decode(output()).ip.at(0).dst;
    }
    std::size_t entries(std::size_t index = 0) {
        return must(weir().node().flows(weir().config().balancer.services.at(index).slot, 0))
            .size();
    }
};

TEST_F(Flows, SynEntersNoFlow) {
    with_backends("10.0.2.1, 10.0.2.2");
    for (std::uint16_t port = 1000; port < 1100; ++port) {
        to(tcp(port, kSyn));
    }
    EXPECT_EQ(entries(), 0U);
    EXPECT_EQ(service(0).flows, 0U);
    EXPECT_EQ(service(0).packets, 100U);
}

TEST_F(Flows, FirstPacketAfterTheSynEntersTheFlow) {
    with_backends("10.0.2.1, 10.0.2.2, 10.0.2.3");
    const std::string chosen = to(tcp(1000, kSyn));

    EXPECT_EQ(to(tcp(1000, kAck)), chosen);
    EXPECT_EQ(entries(), 1U);
    EXPECT_EQ(to(tcp(1000, kAck | kPsh)), chosen);
    EXPECT_EQ(to(tcp(1000, kFin | kAck)), chosen);
    EXPECT_EQ(entries(), 1U);
    EXPECT_EQ(service(0).flows, 1U);
}

TEST_F(Flows, UdpFlowIsEnteredByItsFirstPacket) {
    with_backends("10.0.2.1, 10.0.2.2, 10.0.2.3");
    const std::string chosen = to(udp(1000));
    EXPECT_EQ(entries(1), 1U);
    EXPECT_EQ(to(udp(1000)), chosen);
    EXPECT_EQ(service(1).flows, 1U);
    EXPECT_EQ(entries(0), 0U);
}

TEST_F(Flows, FlowsOfDifferentClientsPortsAndFamiliesAreApart) {
    apply(R"(
lb:
  source: 10.99.0.1
  source6: fd00:99::1
  gateway: 02:00:00:00:00:99
  services:
    - {vip: 203.0.113.10:any/tcp, backends: [10.0.2.1, 10.0.2.2]}
    - {vip: "[2001:db8::10]:80/tcp", backends: ["fd00:2::1", "fd00:2::2"]}
)");
    to(tcp(1000, kAck));
    to(tcp(1001, kAck));
    to(tcp(1000, kAck, "198.51.100.2"));
    to(frame(Ipv4{.dst = "203.0.113.10"}, Tcp{.sport = 1000, .dport = 443}));
    EXPECT_EQ(entries(0), 4U);
    to(frame(Ipv6{.dst = "2001:db8::10"}, Tcp{.sport = 1000}));
    to(frame(Ipv6{.src = "2001:db8:c::2", .dst = "2001:db8::10"}, Tcp{.sport = 1000}));
    EXPECT_EQ(entries(1), 2U);
}

TEST_F(Flows, EstablishedFlowsStayWhenBackendsAreAdded) {
    with_backends("10.0.2.1, 10.0.2.2");
    std::map<std::uint16_t, std::string> before;
    for (std::uint16_t port = 1000; port < 1200; ++port) {
        before[port] = to(tcp(port, kAck));
    }
    with_backends("10.0.2.1, 10.0.2.2, 10.0.2.3, 10.0.2.4");
    for (const auto& [port, backend] : before) {
        EXPECT_EQ(to(tcp(port, kAck)), backend);
    }
    std::set<std::string> fresh;
    for (std::uint16_t port = 2000; port < 2200; ++port) {
        fresh.insert(to(tcp(port, kAck)));
    }
    EXPECT_EQ(fresh.size(), 4U);
}

// A new connection from a port in use before: it goes where new ones go.
TEST_F(Flows, SynDoesNotUseAnOldEntry) {
    with_backends("10.0.2.1");
    for (std::uint16_t port = 1000; port < 1050; ++port) {
        EXPECT_EQ(to(tcp(port, kAck)), "10.0.2.1");
    }
    with_backends("{address: 10.0.2.1, weight: 0}, 10.0.2.2");
    for (std::uint16_t port = 1000; port < 1050; ++port) {
        EXPECT_EQ(to(tcp(port, kSyn)), "10.0.2.2");
    }
}

TEST_F(Flows, RemovedBackendsFlowsMoveToTheOthers) {
    with_backends("10.0.2.1, 10.0.2.2, 10.0.2.3");
    std::map<std::uint16_t, std::string> before;
    for (std::uint16_t port = 1000; port < 1200; ++port) {
        before[port] = to(tcp(port, kAck));
    }
    with_backends("10.0.2.1, 10.0.2.3");
    for (const auto& [port, backend] : before) {
        const std::string now = to(tcp(port, kAck));
        if (backend == "10.0.2.2") {
            EXPECT_NE(now, "10.0.2.2");
        } else {
            EXPECT_EQ(now, backend);
        }
        EXPECT_EQ(to(tcp(port, kAck)), now); // and stays there
    }
}

// Its place in the table may be a newcomer's: the handle tells them apart.
TEST_F(Flows, BackendThatTakesTheRemovedOnesPlaceDoesNotInheritItsFlows) {
    with_backends("10.0.2.1");
    to(tcp(1000, kAck));
    with_backends("10.0.2.9");
    EXPECT_EQ(to(tcp(1000, kAck)), "10.0.2.9");
    EXPECT_EQ(backend(0, 0).flows, 1U); // as a flow of its own
}

TEST_F(Flows, WeightZeroKeepsItsFlowsAndGetsNoNewOnes) {
    with_backends("10.0.2.1");
    for (std::uint16_t port = 1000; port < 1050; ++port) {
        to(tcp(port, kAck));
    }
    with_backends("{address: 10.0.2.1, weight: 0}, 10.0.2.2");
    for (std::uint16_t port = 1000; port < 1050; ++port) {
        EXPECT_EQ(to(tcp(port, kAck)), "10.0.2.1");
    }
    for (std::uint16_t port = 2000; port < 2050; ++port) {
        EXPECT_EQ(to(tcp(port, kAck)), "10.0.2.2");
    }
}

TEST_F(Flows, ServiceWithoutBackendsDrops) {
    with_backends("");
    EXPECT_EQ(xdp(tcp(1000, kSyn)), drop(REASON_NO_BACKEND));
    EXPECT_EQ(xdp(tcp(1000, kAck)), drop(REASON_NO_BACKEND));
    EXPECT_EQ(xdp(udp(1000)), drop(REASON_NO_BACKEND));
    EXPECT_EQ(service(0).packets, 2U);
    EXPECT_EQ(service(0).dropped, 2U);
    EXPECT_EQ(entries(), 0U);
}

TEST_F(Flows, ServiceWhoseBackendsAllHaveWeightZeroKeepsOldFlowsOnly) {
    with_backends("10.0.2.1");
    to(tcp(1000, kAck));
    with_backends("{address: 10.0.2.1, weight: 0}");
    EXPECT_EQ(to(tcp(1000, kAck)), "10.0.2.1");
    EXPECT_EQ(xdp(tcp(1001, kAck)), drop(REASON_NO_BACKEND));
    EXPECT_EQ(xdp(tcp(1000, kSyn)), drop(REASON_NO_BACKEND));
}

TEST_F(Flows, NewFlowsSpreadByWeight) {
    apply(R"(
lb:
  source: 10.99.0.1
  gateway: 02:00:00:00:00:99
  services:
    - vip: 203.0.113.10:80/tcp
      backends:
        - 10.0.2.1
        - {address: 10.0.2.2, weight: 2}
        - {address: 10.0.2.3, weight: 5}
)");
    constexpr int kFlows = 20000;
    for (int i = 0; i < kFlows; ++i) {
        const std::string client =
            "198.51." + std::to_string(i / 250) + "." + std::to_string(i % 250);
        EXPECT_EQ(xdp(tcp(static_cast<std::uint16_t>(1024 + i % 7), kSyn, client.c_str())), sent());
    }
    const double weights[] = {1, 2, 5};
    for (std::size_t i = 0; i < 3; ++i) {
        const double share = weights[i] / 8;
        // Five standard deviations of that many throws.
        const double slack = 5 * std::sqrt(kFlows * share * (1 - share));
        EXPECT_NEAR(static_cast<double>(backend(0, i).packets), kFlows * share, slack) << i;
    }
}

// A client that counts its ports up, or one port from many clients, is spread all the same.
TEST_F(Flows, NeighbouringClientsAndPortsSpread) {
    with_backends("10.0.2.1, 10.0.2.2, 10.0.2.3, 10.0.2.4");
    std::map<std::string, int> by_port;
    for (std::uint16_t port = 30000; port < 32000; ++port) {
        ++by_port[to(tcp(port, kSyn))];
    }
    ASSERT_EQ(by_port.size(), 4U);
    for (const auto& [backend, count] : by_port) {
        EXPECT_NEAR(count, 500, 100) << backend;
    }
}

} // namespace
} // namespace weir::test
