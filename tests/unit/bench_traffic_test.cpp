#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <set>

#include "bench/traffic.h"

namespace weir::bench {
namespace {

text::PacketFields base() {
    text::PacketFields packet;
    packet.saddr = *IpAddr::parse("172.16.0.0");
    packet.daddr = *IpAddr::parse("203.0.113.10");
    return packet;
}

std::string source_of(const rearm_header& header) {
    // Ethernet 14; IPv4: source at 12; TCP, behind 20: source port at 0.
    std::string source(reinterpret_cast<const char*>(header.octets) + 26, 4);
    return source.append(reinterpret_cast<const char*>(header.octets) + 34, 2);
}

TEST(BenchTraffic, EveryFlowIsAnotherOne) {
    constexpr std::size_t kFlows = 200'000;
    const Traffic traffic = make_traffic(kFlows, [](std::size_t i) { return nth_flow(base(), i); });
    std::set<std::string> sources;
    for (const rearm_header& header : traffic.headers) {
        sources.insert(source_of(header));
    }
    EXPECT_EQ(sources.size(), kFlows);
}

TEST(BenchTraffic, OrderIsRandomAndTheSameInEveryRun) {
    const auto made = [] {
        return make_traffic(1000, [](std::size_t i) { return nth_flow(base(), i); });
    };
    const Traffic once = made(), again = made();
    std::size_t in_order = 0;
    for (std::size_t i = 0; i < 1000; i++) {
        EXPECT_EQ(0, std::memcmp(&once.headers[i], &again.headers[i], sizeof(rearm_header)));
        const auto frame = text::build_frame(nth_flow(base(), i));
        in_order += std::memcmp(once.headers[i].octets, frame.data(), frame.size()) == 0 ? 1 : 0;
    }
    EXPECT_LT(in_order, 20U);
}

TEST(BenchTraffic, HeadersAreTheFramesBegin) {
    text::PacketFields packet = base();
    packet.payload_length = 400;
    const Traffic traffic = make_traffic(1, [&](std::size_t) { return packet; });
    EXPECT_EQ(traffic.frame, text::build_frame(packet));
    EXPECT_EQ(0, std::memcmp(traffic.headers[0].octets, traffic.frame.data(), REARM_HEADER_MAX));
}

TEST(BenchTraffic, AFrameShorterThanEthernetIsRefused) {
    EXPECT_TRUE(single_frame(std::vector<std::uint8_t>(14)));
    const auto refused = single_frame(std::vector<std::uint8_t>(13));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().message(),
              "a frame of 13 octets: the kernel's test run takes no less than an Ethernet header, "
              "14");
}

} // namespace
} // namespace weir::bench
