#include "text/packet_text.h"

#include <gtest/gtest.h>

namespace weir::text {
namespace {

std::string hex_of(std::string_view description) {
    const auto fields = parse_packet(description);
    if (!fields) {
        return "refused: " + fields.error().message;
    }
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string hex;
    for (const std::uint8_t octet : build_frame(*fields)) {
        hex += kDigits[octet >> 4];
        hex += kDigits[octet & 15];
    }
    return hex;
}

std::string packet_refusal(std::string_view description) {
    const auto fields = parse_packet(description);
    return fields ? "accepted" : fields.error().message;
}

const std::string kMacs = "020000000002020000000001";

// Expected frames were written by scapy 2.5.0, which computes lengths and checksums of its own.
TEST(PacketText, TcpSynOverIpv4) {
    EXPECT_EQ(
        hex_of("ip saddr 10.0.0.1 ip daddr 203.0.113.10 tcp sport 40000 tcp dport 80 "
               "tcp flags syn"),
        kMacs + "0800"
                "4500002800000000400634c50a000001cb00710a9c40005000000001000000005002ffffcd450000");
}

TEST(PacketText, UdpOverIpv6WithPayload) {
    EXPECT_EQ(hex_of("ip6 saddr 2001:db8::1 ip6 daddr 2001:db8::10 udp sport 53 udp dport 4000 "
                     "payload length 3"),
              kMacs + "86dd"
                      "60000000000b114020010db800000000000000000000000120010db800000000000000000000"
                      "001000350fa0000b927f000102");
}

TEST(PacketText, EchoRequestsOfBothFamilies) {
    EXPECT_EQ(hex_of("ip saddr 10.0.0.1 ip daddr 10.0.0.2 icmp type echo-request"),
              kMacs + "0800"
                      "4500001c00000000400166df0a0000010a0000020800f7fd00010001");
    EXPECT_EQ(hex_of("ip6 saddr fd00::1 ip6 daddr fd00::2 icmpv6 type echo-request"),
              kMacs + "86dd"
                      "6000000000083a40fd000000000000000000000000000001fd00000000000000000000000000"
                      "0002800085b600010001");
}

TEST(PacketText, TwoVlanTagsOutermostFirst) {
    EXPECT_EQ(hex_of("vlan id 5 vlan id 100 ip saddr 10.0.0.1 ip daddr 10.0.0.2 meta l4proto 47"),
              kMacs + "88a80005"
                      "81000064"
                      "0800"
                      "4500001400000000402f66b90a0000010a000002");
}

TEST(PacketText, EveryFieldOfTheIpv4Header) {
    EXPECT_EQ(hex_of("ether saddr 02:00:00:00:00:0a ether daddr 02:00:00:00:00:0b ip saddr "
                     "10.0.0.1 ip daddr 10.0.0.2 ip dscp ef ip ttl 3 ip frag-off 0x2001 "
                     "ip protocol udp payload length 2"),
              "02000000000b02000000000a"
              "0800"
              "45b80016000020010311831c0a0000010a0000020001");
}

TEST(PacketText, OtherEthernetTypes) {
    EXPECT_EQ(hex_of("ether type arp payload length 4"), kMacs + "080600000000");
    EXPECT_EQ(hex_of("vlan id 7"), hex_of("vlan id 7 ether type ip tcp dport 9"));
}

TEST(PacketText, NothingSaidOfAHeaderIsALikelyPacket) {
    EXPECT_EQ(hex_of("tcp dport 80"),
              hex_of("ip saddr 198.51.100.1 ip daddr 192.0.2.1 tcp sport 40000 tcp dport 80 tcp "
                     "flags syn ip ttl 64"));
    EXPECT_EQ(hex_of("icmp code 0"), hex_of("icmp type echo-request icmp code 0"));
    EXPECT_EQ(hex_of("meta l4proto icmp"), hex_of("icmp type echo-request"));
}

TEST(PacketText, RefusesWhatNoPacketIs) {
    EXPECT_EQ(packet_refusal("ip saddr 10.0.0.1 ip6 daddr ::1"),
              "'ip6 daddr': the packet is IPv4 already");
    EXPECT_EQ(packet_refusal("tcp dport 80 udp sport 1"),
              "'udp sport': the packet has another transport header already");
    EXPECT_EQ(packet_refusal("tcp dport 80 tcp dport 81"), "'tcp dport' stands twice");
    EXPECT_EQ(packet_refusal("ip saddr 10.0.0.0/8"),
              "'10.0.0.0/8': a packet has one value of each field");
    EXPECT_EQ(packet_refusal("tcp dport 80-90"), "'80-90': a packet has one value of each field");
    EXPECT_EQ(packet_refusal("ip frag-off 5 udp dport 53"),
              "a later fragment has no transport header: say `meta l4proto` instead");
    EXPECT_EQ(packet_refusal("ip protocol udp tcp dport 80"),
              "the protocol is said to be 17, and another header is described");
    EXPECT_EQ(packet_refusal("iifname eth0"), "the interface is not part of the packet: say --dev");
    EXPECT_EQ(packet_refusal("payload length 1401"),
              "'1401': payload length expects a number from 0 to 1400");
    EXPECT_EQ(packet_refusal("tcp flags sin"),
              "'sin': tcp flags expects syn, ack, fin, rst, psh, urg, ecn "
              "or cwr, with commas between");
    EXPECT_EQ(packet_refusal("tpc dport 80"),
              "unknown words 'tpc dport': expected a field of a rule, such as ip saddr or tcp "
              "dport; did you mean 'tcp dport'?");
    EXPECT_EQ(packet_refusal(""),
              "the packet is not described; for instance: ip daddr 203.0.113.10 tcp "
              "dport 80");
}

TEST(PacketText, SaysWhereTheOffendingWordStands) {
    const auto fields = parse_packet("ip ttl 64 tcp dport 80 ip6 saddr ::1");
    ASSERT_FALSE(fields);
    EXPECT_EQ(fields.error().place.line, 1);
    EXPECT_EQ(fields.error().place.column, 24);
}

} // namespace
} // namespace weir::text
