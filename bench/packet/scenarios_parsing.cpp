#include <linux/bpf.h>

#include "bench/packet/scenario.h"

namespace weir::bench {
namespace {

std::string nothing() {
    return "{}";
}

text::PacketFields ipv4_tcp() {
    text::PacketFields packet;
    packet.saddr = IpAddr::v4(0xc0000201); // 192.0.2.1
    packet.daddr = IpAddr::v4(0xc6336401); // 198.51.100.1
    packet.tcp_flags = 0x10;               // ACK
    packet.dport = 443;
    return packet;
}

text::PacketFields ipv6_udp() {
    text::PacketFields packet;
    packet.family = Family::kIpv6;
    packet.saddr = IpAddr::v6({0x20010db800000000, 1});
    packet.daddr = IpAddr::v6({0x20010db800000000, 2});
    packet.protocol = 17;
    packet.dport = 53;
    return packet;
}

text::PacketFields tagged_twice() {
    text::PacketFields packet = ipv4_tcp();
    packet.vlan_ids = {100, 200};
    return packet;
}

Case passing(std::string name, std::string what, text::PacketFields (*packet)()) {
    return {.name = std::move(name),
            .what = std::move(what),
            .expect = XDP_PASS,
            .traffic = [packet] { return make_traffic(1, [&](std::size_t) { return packet(); }); },
            .counted = true};
}

} // namespace

std::vector<SetUp> parsing_scenarios() {
    SetUp bare{.limits = {}, .yaml = nothing, .bare = true};
    bare.cases.push_back(passing(
        "count", "received and passed are counted, nothing is parsed (no generation)", ipv4_tcp));
    SetUp empty{.limits = {}, .yaml = nothing, .bare = false};
    empty.cases.push_back(passing("parse-ipv4-tcp", "parsed and counted: IPv4, TCP", ipv4_tcp));
    empty.cases.push_back(passing("parse-ipv6-udp", "parsed and counted: IPv6, UDP", ipv6_udp));
    empty.cases.push_back(
        passing("parse-qinq", "parsed and counted: two VLAN tags, IPv4, TCP", tagged_twice));
    return {bare, empty};
}

} // namespace weir::bench
