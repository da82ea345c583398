#include "text/headers.h"

#include <netinet/in.h>

#include <algorithm>
#include <array>

namespace weir::text {
namespace {

constexpr std::uint16_t kVlan = 0x8100, kServiceVlan = 0x88a8;

IpAddr address4(Octets from) {
    return IpAddr::v4(static_cast<std::uint32_t>(number16(from, 0)) << 16 | number16(from, 2));
}

IpAddr address6(Octets from) {
    constexpr std::size_t kOctets = 16;
    U128 number;
    for (std::size_t i = 0; i < kOctets; i++) {
        std::uint64_t& half = i < kOctets / 2 ? number.hi : number.lo;
        half = half << 8 | from[i];
    }
    return IpAddr::v6(number);
}

std::optional<IpHeader> read_ipv4(Octets packet) {
    constexpr std::size_t kLeast = 20;
    constexpr std::uint16_t kOffset = 0x1fff;
    const std::size_t length = packet.empty() ? 0 : (packet[0] & 15U) * 4U;
    if (packet.size() < kLeast || length < kLeast) {
        return std::nullopt;
    }
    return IpHeader{.saddr = address4(packet.subspan(12)),
                    .daddr = address4(packet.subspan(16)),
                    .protocol = packet[9],
                    .later_fragment = (number16(packet, 6) & kOffset) != 0,
                    .rest = packet.size() < length ? Octets{} : packet.subspan(length)};
}

std::optional<IpHeader> read_ipv6(Octets packet) {
    constexpr std::size_t kLength = 40;
    if (packet.size() < kLength) {
        return std::nullopt;
    }
    return IpHeader{.saddr = address6(packet.subspan(8)),
                    .daddr = address6(packet.subspan(24)),
                    .protocol = packet[6],
                    .rest = packet.subspan(kLength)};
}

} // namespace

std::uint16_t number16(Octets from, std::size_t at) {
    return static_cast<std::uint16_t>(from[at] << 8 | from[at + 1]);
}

std::optional<EthernetHeader> read_ethernet(Octets frame) {
    constexpr std::size_t kHeader = 14, kTag = 4;
    if (frame.size() < kHeader) {
        return std::nullopt;
    }
    EthernetHeader header;
    std::size_t at = kHeader;
    header.type = number16(frame, at - 2);
    while ((header.type == kVlan || header.type == kServiceVlan) && frame.size() >= at + kTag) {
        header.vlans.push_back(number16(frame, at) & 0xfff);
        at += kTag;
        header.type = number16(frame, at - 2);
    }
    header.rest = frame.subspan(at);
    return header;
}

std::optional<IpHeader> read_ip(Octets packet, std::uint16_t type) {
    return type == kEtherIpv4   ? read_ipv4(packet)
           : type == kEtherIpv6 ? read_ipv6(packet)
                                : std::nullopt;
}

std::optional<Ports> read_ports(const IpHeader& header) {
    constexpr std::array kWithPorts = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP, IPPROTO_UDPLITE,
                                       IPPROTO_DCCP};
    const bool has =
        std::find(kWithPorts.begin(), kWithPorts.end(), header.protocol) != kWithPorts.end();
    if (!has || header.later_fragment || header.rest.size() < 4) {
        return std::nullopt;
    }
    return Ports{number16(header.rest, 0), number16(header.rest, 2)};
}

std::optional<std::uint16_t> tunnelled(const IpHeader& header) {
    if (header.later_fragment) {
        return std::nullopt;
    }
    return header.protocol == IPPROTO_IPIP   ? std::optional(kEtherIpv4)
           : header.protocol == IPPROTO_IPV6 ? std::optional(kEtherIpv6)
                                             : std::nullopt;
}

} // namespace weir::text
