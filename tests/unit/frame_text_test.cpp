#include "text/frame_text.h"

#include <gtest/gtest.h>

#include <vector>

#include "text/packet_text.h"

namespace weir::text {
namespace {

using Frame = std::vector<std::uint8_t>;

Frame frame_of(std::string_view description) {
    const auto fields = parse_packet(description);
    EXPECT_TRUE(fields) << fields.error().message;
    return build_frame(*fields);
}

std::string line_of(std::string_view description) {
    return frame_text(frame_of(description));
}

TEST(FrameText, AddressesPortsAndFlags) {
    EXPECT_EQ(line_of("ip saddr 10.0.0.1 ip daddr 10.0.0.2 udp sport 4000 udp dport 53"),
              "10.0.0.1:4000 > 10.0.0.2:53 udp");
    EXPECT_EQ(line_of("ip6 saddr 2001:db8::1 ip6 daddr 2001:db8::2 tcp sport 4000 tcp dport 80 "
                      "tcp flags syn,ack"),
              "[2001:db8::1]:4000 > [2001:db8::2]:80 tcp S.");
}

TEST(FrameText, TagsAreInFront) {
    EXPECT_EQ(line_of("vlan id 7 ip saddr 10.0.0.1 ip daddr 10.0.0.2 udp sport 1 udp dport 2"),
              "vlan 7 10.0.0.1:1 > 10.0.0.2:2 udp");
}

TEST(FrameText, APacketInsideAPacket) {
    const Frame inner = frame_of("ip saddr 10.0.0.1 ip daddr 10.0.0.2 udp sport 1 udp dport 2");
    Frame outer = frame_of("ip saddr 10.9.0.1 ip daddr 10.9.0.2 udp sport 1 udp dport 2");
    constexpr std::size_t kEthernet = 14, kProtocol = kEthernet + 9, kTransport = kEthernet + 20;
    outer[kProtocol] = 4;
    outer.resize(kTransport);
    outer.insert(outer.end(), inner.begin() + kEthernet, inner.end());

    EXPECT_EQ(frame_text(outer), "10.9.0.1 > 10.9.0.2 carries 10.0.0.1:1 > 10.0.0.2:2 udp");
}

TEST(FrameText, WhatIsUnknownIsSaidByItsNumber) {
    Frame frame = frame_of("ip saddr 10.0.0.1 ip daddr 10.0.0.2 udp sport 1 udp dport 2");
    frame[12] = 0x88;
    frame[13] = 0xcc;
    EXPECT_EQ(frame_text(frame), "ethertype 0x88cc");
}

// However much of a frame was kept, it is read no further.
TEST(FrameText, CutOffAnywhere) {
    const Frame whole =
        frame_of("ip saddr 10.0.0.1 ip daddr 10.0.0.2 tcp sport 1 tcp dport 2 tcp flags syn");
    const auto cut = [&](std::size_t octets) {
        return frame_text(Frame(whole.begin(), whole.begin() + static_cast<long>(octets)));
    };
    EXPECT_EQ(cut(13), "no Ethernet header");
    EXPECT_EQ(cut(33), "ip, cut off");
    EXPECT_EQ(cut(34), "10.0.0.1 > 10.0.0.2 tcp");
    EXPECT_EQ(cut(38), "10.0.0.1:1 > 10.0.0.2:2 tcp");
    EXPECT_EQ(cut(54), "10.0.0.1:1 > 10.0.0.2:2 tcp S");
    for (std::size_t octets = 0; octets <= whole.size(); octets++) {
        EXPECT_FALSE(cut(octets).empty());
    }
}

} // namespace
} // namespace weir::text
