#include "prog/flows.h"

#include <cmath>
#include <set>

// Which backend a flow goes to, and that it stays there through every change.
namespace weir::test {
namespace {

// --- at rest

TEST_F(Flows, AtRestNothingIsTracked) {
    with_backends("10.0.2.1, 10.0.2.2, 10.0.2.3");
    for (std::uint16_t port = 1000; port < 1100; ++port) {
        const std::string chosen = to(tcp(port, kSyn));
        EXPECT_EQ(to(tcp(port, kAck)), chosen);
        EXPECT_EQ(to(tcp(port, kFin | kAck)), chosen);
        to(udp(port));
    }
    EXPECT_EQ(tracked(0).size() + tracked(1).size(), 0U);
    EXPECT_EQ(ring().hot + ring().warm, 0U);
    EXPECT_EQ(service(0).connections, 100U) << "connections, by their SYN";
    EXPECT_EQ(service(0).packets, 300U);
    EXPECT_EQ(service(1).connections, 0U);
}

TEST_F(Flows, AnyClientIsAnsweredAlike) {
    apply(R"(
lb:
  source: 10.99.0.1
  source6: fd00:99::1
  gateway: 02:00:00:00:00:99
  services:
    - {vip: 203.0.113.10:any/tcp, backends: [10.0.2.1, 10.0.2.2]}
    - {vip: "[2001:db8::10]:80/tcp", backends: ["fd00:2::1", "fd00:2::2"]}
)");
    std::set<std::string> by_port, by_client6;
    for (std::uint16_t port = 1; port < 65; ++port) {
        by_port.insert(to(frame(Ipv4{.dst = "203.0.113.10"}, Tcp{.sport = 1000, .dport = port})));
        const std::string client = "2001:db8:c::" + std::to_string(port);
        by_client6.insert(
            to(frame(Ipv6{.src = client, .dst = "2001:db8::10"}, Tcp{.sport = 1000})));
    }
    EXPECT_EQ(by_port.size(), 2U) << "the port is a part of the flow";
    EXPECT_EQ(by_client6.size(), 2U);
}

TEST_F(Flows, ServiceWithoutBackendsDrops) {
    with_backends("");
    EXPECT_EQ(xdp(tcp(1000, kSyn)), drop(REASON_NO_BACKEND));
    EXPECT_EQ(xdp(tcp(1000, kAck)), drop(REASON_NO_BACKEND));
    EXPECT_EQ(xdp(udp(1000)), drop(REASON_NO_BACKEND));
    EXPECT_EQ(service(0).packets, 2U);
    EXPECT_EQ(service(0).dropped, 2U);
}

// --- a change: its buckets are hot

TEST_F(Flows, ConnectionsStayWhenBackendsAreAdded) {
    with_backends("10.0.2.1, 10.0.2.2");
    const auto before = open(1000, 200);

    with_backends("10.0.2.1, 10.0.2.2, 10.0.2.3, 10.0.2.4");

    EXPECT_GT(ring().hot, 0U);
    expect_unmoved(before);
    EXPECT_EQ(tracked().size(), 0U) << "they belong to the base of their buckets";
    std::set<std::string> fresh;
    for (const auto& [port, backend] : open(2000, 200)) {
        fresh.insert(backend);
    }
    EXPECT_EQ(fresh.size(), 4U);
}

TEST_F(Flows, ConnectionThatBeginsInAHotBucketIsTracked) {
    with_backends("10.0.2.1");
    with_backends("{address: 10.0.2.1, weight: 0}, 10.0.2.2");

    EXPECT_EQ(to(tcp(1000, kSyn)), "10.0.2.2");
    ASSERT_EQ(tracked().size(), 1U);
    EXPECT_EQ(tracked()[0].state, kernel::FlowState::kHalfOpen);
    EXPECT_EQ(tracked()[0].sport, 1000);
    EXPECT_EQ(tracked()[0].client4, 0xc6336401U) << "198.51.100.1";

    EXPECT_EQ(to(tcp(1000, kAck)), "10.0.2.2");
    ASSERT_EQ(tracked().size(), 1U);
    EXPECT_EQ(tracked()[0].state, kernel::FlowState::kEstablished);
    EXPECT_FALSE(tracked()[0].closed);

    EXPECT_EQ(to(tcp(1000, kFin | kAck)), "10.0.2.2");
    EXPECT_TRUE(tracked()[0].closed);
    EXPECT_EQ(to(tcp(1000, kAck)), "10.0.2.2") << "its last acknowledgement";
}

// A client that takes a port again that it used before the change.
TEST_F(Flows, ReusedPortIsANewConnectionFromItsSynOn) {
    with_backends("10.0.2.1");
    const auto before = open(1000, 50);
    with_backends("{address: 10.0.2.1, weight: 0}, 10.0.2.2");

    for (const auto& [port, backend] : before) {
        EXPECT_EQ(to(tcp(port, kFin | kAck)), "10.0.2.1");
        EXPECT_EQ(to(tcp(port, kSyn)), "10.0.2.2");
        EXPECT_EQ(to(tcp(port, kAck)), "10.0.2.2");
    }
}

// Sent again, or by somebody else who guesses the port: the connection goes on.
TEST_F(Flows, SynOnALivingConnectionFollowsIt) {
    with_backends("10.0.2.1");
    with_backends("{address: 10.0.2.1, weight: 0}, 10.0.2.2");
    open(1000, 1);
    with_backends("{address: 10.0.2.1, weight: 0}, {address: 10.0.2.2, weight: 0}, 10.0.2.3");

    EXPECT_EQ(to(tcp(1000, kSyn)), "10.0.2.2");
    EXPECT_EQ(to(tcp(1000, kAck)), "10.0.2.2");
    // One that is over does not hold the port.
    EXPECT_EQ(to(tcp(1000, kRst)), "10.0.2.2");
    EXPECT_EQ(to(tcp(1000, kSyn)), "10.0.2.3");
    EXPECT_EQ(to(tcp(1000, kAck)), "10.0.2.3");
}

TEST_F(Flows, ManyChangesInARowMoveNobody) {
    with_backends("10.0.2.1, 10.0.2.2");
    std::map<std::uint16_t, std::string> all = open(1000, 100);
    const char* changes[] = {"10.0.2.1, 10.0.2.2, 10.0.2.3",
                             "10.0.2.1, {address: 10.0.2.2, weight: 0}, 10.0.2.3",
                             "10.0.2.1, {address: 10.0.2.2, weight: 7}, 10.0.2.3",
                             "{address: 10.0.2.1, weight: 0}, 10.0.2.2, 10.0.2.3, 10.0.2.4"};
    std::uint16_t port = 2000;
    for (const char* list : changes) {
        with_backends(list);
        expect_unmoved(all);
        all.merge(open(port, 100));
        port += 100;
    }
    expect_unmoved(all);
    with_backends("10.0.2.1, 10.0.2.2");
    for (const auto& [client, backend] : all) {
        if (backend == "10.0.2.1" || backend == "10.0.2.2") {
            EXPECT_EQ(to(tcp(client, kAck)), backend) << client;
        }
    }
}

TEST_F(Flows, RemovedBackendsConnectionsMoveToTheOthers) {
    with_backends("10.0.2.1, 10.0.2.2, 10.0.2.3");
    const auto before = open(1000, 200);

    with_backends("10.0.2.1, 10.0.2.3");

    for (const auto& [port, backend] : before) {
        const std::string now = to(tcp(port, kAck));
        if (backend == "10.0.2.2") {
            EXPECT_NE(now, "10.0.2.2");
        } else {
            EXPECT_EQ(now, backend);
        }
        EXPECT_EQ(to(tcp(port, kAck)), now);
    }
}

// Its place in the table may be a newcomer's.
TEST_F(Flows, BackendThatTakesTheRemovedOnesPlaceDoesNotInheritItsFlows) {
    with_backends("10.0.2.1");
    with_backends("{address: 10.0.2.1, weight: 0}, 10.0.2.2");
    open(1000, 1);
    ASSERT_EQ(tracked().size(), 1U);
    with_backends("10.0.2.9");
    EXPECT_EQ(tracked().size(), 0U);
    EXPECT_EQ(to(tcp(1000, kAck)), "10.0.2.9");
}

TEST_F(Flows, ServiceWhoseBackendsAllHaveWeightZeroKeepsItsConnections) {
    with_backends("10.0.2.1");
    open(1000, 1);
    with_backends("{address: 10.0.2.1, weight: 0}");
    EXPECT_EQ(to(tcp(1000, kAck)), "10.0.2.1");
    EXPECT_EQ(xdp(tcp(1001, kSyn)), drop(REASON_NO_BACKEND));
}

// --- UDP

TEST_F(Flows, UdpExchangeKeepsItsBackendThroughAChange) {
    with_backends("10.0.2.1, 10.0.2.2");
    std::map<std::uint16_t, std::string> before;
    for (std::uint16_t port = 1000; port < 1100; ++port) {
        before[port] = to(udp(port));
    }
    with_backends("{address: 10.0.2.1, weight: 0}, {address: 10.0.2.2, weight: 0}, 10.0.2.3");
    for (const auto& [port, backend] : before) {
        EXPECT_EQ(to(udp(port)), backend);
    }
    EXPECT_EQ(tracked(1).size(), before.size()) << "entered on sight";

    weir().let_pass(UDP_HOT_TICKS);
    for (const auto& [port, backend] : before) {
        EXPECT_EQ(to(udp(port)), backend) << "by its entry";
    }
    EXPECT_EQ(to(udp(2000)), "10.0.2.3") << "silent since before the change: a new exchange";
}

TEST_F(Flows, QuicConnectionBeginsWithItsInitialPacket) {
    with_backends("10.0.2.1");
    with_backends("{address: 10.0.2.1, weight: 0}, 10.0.2.2");
    EXPECT_EQ(to(quic(1000)), "10.0.2.2");
    EXPECT_EQ(to(udp(1000)), "10.0.2.2");
    EXPECT_EQ(to(udp(1001)), "10.0.2.1");
    EXPECT_EQ(service(1).connections, 0U) << "which are of TCP";
}

// --- cooling

TEST_F(Flows, WhoSpeaksWhileTheBucketClosesIsEnteredAndStays) {
    with_backends("10.0.2.1");
    const auto before = open(1000, 20);
    with_backends("{address: 10.0.2.1, weight: 0}, 10.0.2.2");

    weir().let_pass(HOT_TICKS);
    for (std::uint16_t port = 1000; port < 1010; ++port) {
        EXPECT_EQ(to(tcp(port, kAck)), "10.0.2.1");
    }
    EXPECT_EQ(tracked().size(), 10U);

    weir().let_pass(model::kIdleDefault);
    EXPECT_EQ(ring().hot, 0U);
    EXPECT_GT(ring().warm, 0U);
    for (std::uint16_t port = 1000; port < 1010; ++port) {
        EXPECT_EQ(to(tcp(port, kAck)), "10.0.2.1");
    }
    EXPECT_EQ(to(tcp(1015, kAck)), "10.0.2.2") << "silent for longer than `idle`";
    EXPECT_EQ(to(tcp(3000, kSyn)), "10.0.2.2");
    EXPECT_EQ(tracked().size(), 10U) << "in a warm bucket nothing is entered";
}

TEST_F(Flows, WarmBucketsRestOnceNoEntryNeedsThem) {
    with_backends("10.0.2.1");
    with_backends("{address: 10.0.2.1, weight: 0}, 10.0.2.2");
    weir().let_pass(HOT_TICKS);
    EXPECT_EQ(to(tcp(1000, kAck)), "10.0.2.1");
    weir().let_pass(model::kIdleDefault);

    must(weir().node().settle());
    EXPECT_EQ(ring().warm, 1U) << "the one with the flow";
    EXPECT_EQ(to(tcp(1000, kRst)), "10.0.2.1");
}

// --- shares

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
        // Five standard deviations of that many throws, and a percent for whole buckets.
        const double slack = 5 * std::sqrt(kFlows * share * (1 - share)) + kFlows * share / 100;
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
