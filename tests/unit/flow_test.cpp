#include <gtest/gtest.h>
#include <sys/socket.h>

#include "flow/flow_text.h"
#include "flow/frame.h"
#include "flow_sightings.h"
#include "text/packet_text.h"

namespace weir::flow {
namespace {

TEST(FlowText, AddressesAndPortsOfBothSides) {
    const auto flow =
        parse_flow("ip saddr 10.0.0.0/8 ip daddr 203.0.113.10 tcp sport 40000 tcp dport 80");
    ASSERT_TRUE(flow) << flow.error().message;
    const auto& [mask, value] = flow->match;
    EXPECT_EQ(value[TUPLE_FAMILY], AF_INET);
    EXPECT_EQ(value[TUPLE_PROTOCOL], 6U);
    EXPECT_EQ(mask[TUPLE_SADDR_LOW], 0xffffffffff000000U);
    EXPECT_EQ(value[TUPLE_SADDR_LOW], 0x0000ffff0a000000U);
    EXPECT_EQ(mask[TUPLE_DADDR_LOW], ~__u64{0});
    EXPECT_EQ(value[TUPLE_DADDR_LOW], 0x0000ffffcb00710aU);
    EXPECT_EQ(value[TUPLE_SPORT], 40000U);
    EXPECT_EQ(value[TUPLE_DPORT], 80U);
}

TEST(FlowText, WhatIsNotSaidMayBeAnything) {
    const auto flow = parse_flow("udp dport 53");
    ASSERT_TRUE(flow);
    for (const auto part : {TUPLE_FAMILY, TUPLE_SADDR_HIGH, TUPLE_SADDR_LOW, TUPLE_SPORT}) {
        EXPECT_EQ(flow->match.mask[part], 0U);
    }
}

TEST(FlowText, Ipv6Prefixes) {
    const auto flow = parse_flow("ip6 daddr 2001:db8::/48");
    ASSERT_TRUE(flow);
    EXPECT_EQ(flow->match.mask[TUPLE_DADDR_HIGH], 0xffffffffffff0000U);
    EXPECT_EQ(flow->match.value[TUPLE_DADDR_HIGH], 0x20010db800000000U);
    EXPECT_EQ(flow->match.mask[TUPLE_DADDR_LOW], 0U);
}

TEST(FlowText, WhatIsNoFlowIsRefused) {
    const auto message = [](const char* words) { return parse_flow(words).error().message; };
    EXPECT_EQ(message(""), "which flow? for instance: ip saddr 10.0.0.1 tcp dport 80");
    EXPECT_EQ(message("ip daddr 10.0.0.1-10.0.0.2"),
              "a flow has one address or prefix on each side, not a range");
    EXPECT_EQ(message("tcp dport 80-90"), "'tcp dport': a flow has one port, not a range");
    EXPECT_EQ(message("tcp dport != 80"),
              "'tcp dport': a flow has one value of it, without != and sets");
    EXPECT_TRUE(message("vlan id 7").starts_with("'vlan id' tells no flow from others"));
}

TEST(FlowText, AFrameIsOfAFlowByWhatItCarries) {
    const auto flow = parse_flow("ip saddr 10.0.0.0/8 udp dport 53");
    ASSERT_TRUE(flow);
    EXPECT_TRUE(is_of(flow->match, kQuery));
    Tuple other = kQuery;
    other.dport = 54;
    EXPECT_FALSE(is_of(flow->match, other));
    other = kQuery;
    other.saddr = IpAddr::v6({0x20010db800000000, 1});
    EXPECT_FALSE(is_of(flow->match, other));

    const auto fields =
        text::parse_packet("ip saddr 10.0.0.2 ip daddr 10.0.2.2 udp sport 4000 udp dport 53");
    ASSERT_TRUE(fields);
    EXPECT_EQ(tuples_of(text::build_frame(*fields)), std::vector{kQuery});
    EXPECT_TRUE(tuples_of({}).empty());
}

} // namespace
} // namespace weir::flow
