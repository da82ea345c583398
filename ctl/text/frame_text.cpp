#include "text/frame_text.h"

#include <fmt/format.h>

#include "base/address.h"

namespace weir::text {
namespace {

using Octets = std::span<const std::uint8_t>;

constexpr std::uint16_t kArp = 0x0806, kIpv4 = 0x0800, kIpv6 = 0x86dd, kVlan = 0x8100,
                        kServiceVlan = 0x88a8;
constexpr std::uint8_t kIcmp = 1, kIpInIp = 4, kTcp = 6, kUdp = 17, kIpv6InIp = 41, kIcmpv6 = 58;

std::uint16_t number16(Octets from, std::size_t at) {
    return static_cast<std::uint16_t>(from[at] << 8 | from[at + 1]);
}

IpAddr address4(Octets from) {
    return IpAddr::v4(static_cast<std::uint32_t>(number16(from, 0)) << 16 | number16(from, 2));
}

IpAddr address6(Octets from) {
    U128 number;
    for (std::size_t i = 0; i < 16; i++) {
        std::uint64_t& half = i < 8 ? number.hi : number.lo;
        half = half << 8 | from[i];
    }
    return IpAddr::v6(number);
}

// As tcpdump names them, in its order.
std::string flags_text(std::uint8_t flags) {
    static constexpr std::string_view kLetters = "FSRP.UEW";
    std::string text;
    for (const std::size_t bit : {1U, 0U, 2U, 3U, 5U, 6U, 7U, 4U}) {
        if ((flags >> bit & 1) != 0) {
            text += kLetters[bit];
        }
    }
    return text.empty() ? "none" : text;
}

std::string packet_text(Octets packet, std::uint16_t type);

std::string name_of(std::uint8_t protocol) {
    switch (protocol) {
    case kIcmp:
        return "icmp";
    case kTcp:
        return "tcp";
    case kUdp:
        return "udp";
    case kIcmpv6:
        return "icmpv6";
    default:
        return fmt::format("protocol {}", protocol);
    }
}

// From the header behind IP's to the end.
std::string transport_text(const IpAddr& from, const IpAddr& to, std::uint8_t protocol,
                           Octets rest) {
    const bool v6 = from.family() == Family::kIpv6;
    const auto join = [&](const std::string& more) {
        return fmt::format("{} > {} {}", from.to_string(), to.to_string(), more);
    };
    if ((protocol == kTcp || protocol == kUdp) && rest.size() >= 4) {
        const auto at = [&](const IpAddr& address, std::uint16_t port) {
            return fmt::format(fmt::runtime(v6 ? "[{}]:{}" : "{}:{}"), address.to_string(), port);
        };
        std::string text = fmt::format("{} > {} {}", at(from, number16(rest, 0)),
                                       at(to, number16(rest, 2)), name_of(protocol));
        constexpr std::size_t kFlags = 13;
        if (protocol == kTcp && rest.size() > kFlags) {
            text += " " + flags_text(rest[kFlags]);
        }
        return text;
    }
    if ((protocol == kIcmp || protocol == kIcmpv6) && rest.size() >= 2) {
        return join(fmt::format("{} type {} code {}", name_of(protocol), rest[0], rest[1]));
    }
    if (protocol == kIpInIp || protocol == kIpv6InIp) {
        return join("carries " + packet_text(rest, protocol == kIpInIp ? kIpv4 : kIpv6));
    }
    return join(name_of(protocol));
}

std::string ipv4_text(Octets packet) {
    constexpr std::size_t kLeast = 20;
    const std::size_t header = packet.empty() ? 0 : (packet[0] & 15U) * 4U;
    if (packet.size() < kLeast || header < kLeast) {
        return "ip, cut off";
    }
    const IpAddr from = address4(packet.subspan(12)), to = address4(packet.subspan(16));
    constexpr std::uint16_t kOffset = 0x1fff;
    if ((number16(packet, 6) & kOffset) != 0) {
        return fmt::format("{} > {} {} fragment", from.to_string(), to.to_string(),
                           name_of(packet[9]));
    }
    return transport_text(from, to, packet[9],
                          packet.size() < header ? Octets{} : packet.subspan(header));
}

std::string ipv6_text(Octets packet) {
    constexpr std::size_t kHeader = 40;
    if (packet.size() < kHeader) {
        return "ip6, cut off";
    }
    return transport_text(address6(packet.subspan(8)), address6(packet.subspan(24)), packet[6],
                          packet.subspan(kHeader));
}

std::string arp_text(Octets packet) {
    constexpr std::size_t kWhole = 28; // of Ethernet and IPv4
    if (packet.size() < kWhole) {
        return "arp";
    }
    return fmt::format("arp {} > {} {}", address4(packet.subspan(14)).to_string(),
                       address4(packet.subspan(24)).to_string(),
                       number16(packet, 6) == 1 ? "request" : "reply");
}

std::string packet_text(Octets packet, std::uint16_t type) {
    switch (type) {
    case kArp:
        return arp_text(packet);
    case kIpv4:
        return ipv4_text(packet);
    case kIpv6:
        return ipv6_text(packet);
    default:
        return fmt::format("ethertype {:#06x}", type);
    }
}

} // namespace

std::string frame_text(Octets frame) {
    constexpr std::size_t kHeader = 14, kTag = 4;
    if (frame.size() < kHeader) {
        return "no Ethernet header";
    }
    std::string tags;
    std::size_t at = kHeader;
    std::uint16_t type = number16(frame, at - 2);
    while ((type == kVlan || type == kServiceVlan) && frame.size() >= at + kTag) {
        tags += fmt::format("vlan {} ", number16(frame, at) & 0xfff);
        at += kTag;
        type = number16(frame, at - 2);
    }
    return tags + packet_text(frame.subspan(at), type);
}

} // namespace weir::text
