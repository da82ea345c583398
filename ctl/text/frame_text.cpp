#include "text/frame_text.h"

#include <fmt/format.h>
#include <netinet/in.h>

#include "text/headers.h"

namespace weir::text {
namespace {

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

std::string name_of(std::uint8_t protocol) {
    switch (protocol) {
    case IPPROTO_ICMP:
        return "icmp";
    case IPPROTO_TCP:
        return "tcp";
    case IPPROTO_UDP:
        return "udp";
    case IPPROTO_ICMPV6:
        return "icmpv6";
    default:
        return fmt::format("protocol {}", protocol);
    }
}

std::string endpoint(const IpAddr& address, std::uint16_t port) {
    return address.family() == Family::kIpv6 ? fmt::format("[{}]:{}", address.to_string(), port)
                                             : fmt::format("{}:{}", address.to_string(), port);
}

std::string packet_text(Octets packet, std::uint16_t type);

std::string ip_text(const IpHeader& header) {
    const auto join = [&](const std::string& more) {
        return fmt::format("{} > {} {}", header.saddr.to_string(), header.daddr.to_string(), more);
    };
    if (header.later_fragment) {
        return join(name_of(header.protocol) + " fragment");
    }
    if (const auto ports = read_ports(header)) {
        std::string text =
            fmt::format("{} > {} {}", endpoint(header.saddr, ports->source),
                        endpoint(header.daddr, ports->destination), name_of(header.protocol));
        constexpr std::size_t kFlags = 13;
        if (header.protocol == IPPROTO_TCP && header.rest.size() > kFlags) {
            text += " " + flags_text(header.rest[kFlags]);
        }
        return text;
    }
    const bool icmp = header.protocol == IPPROTO_ICMP || header.protocol == IPPROTO_ICMPV6;
    if (icmp && header.rest.size() >= 2) {
        return join(fmt::format("{} type {} code {}", name_of(header.protocol), header.rest[0],
                                header.rest[1]));
    }
    if (const auto inside = tunnelled(header)) {
        return join("carries " + packet_text(header.rest, *inside));
    }
    return join(name_of(header.protocol));
}

std::string arp_text(Octets packet) {
    constexpr std::size_t kWhole = 28; // of Ethernet and IPv4
    if (packet.size() < kWhole) {
        return "arp";
    }
    const auto address = [&](std::size_t at) {
        return IpAddr::v4(static_cast<std::uint32_t>(number16(packet, at)) << 16 |
                          number16(packet, at + 2))
            .to_string();
    };
    return fmt::format("arp {} > {} {}", address(14), address(24),
                       number16(packet, 6) == 1 ? "request" : "reply");
}

std::string packet_text(Octets packet, std::uint16_t type) {
    if (type == kEtherArp) {
        return arp_text(packet);
    }
    if (type != kEtherIpv4 && type != kEtherIpv6) {
        return fmt::format("ethertype {:#06x}", type);
    }
    const auto header = read_ip(packet, type);
    return header ? ip_text(*header) : type == kEtherIpv4 ? "ip, cut off" : "ip6, cut off";
}

} // namespace

std::string frame_text(std::span<const std::uint8_t> frame) {
    const auto header = read_ethernet(frame);
    if (!header) {
        return "no Ethernet header";
    }
    std::string tags;
    for (const std::uint16_t vlan : header->vlans) {
        tags += fmt::format("vlan {} ", vlan);
    }
    return tags + packet_text(header->rest, header->type);
}

} // namespace weir::text
