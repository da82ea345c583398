#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/address.h"

// What the headers of a frame say, as far as it was kept.
namespace weir::text {

using Octets = std::span<const std::uint8_t>;

inline constexpr std::uint16_t kEtherIpv4 = 0x0800, kEtherArp = 0x0806, kEtherIpv6 = 0x86dd;

// A big-endian number of two octets; both must be there.
std::uint16_t number16(Octets from, std::size_t at);

struct EthernetHeader {
    std::vector<std::uint16_t> vlans; // ids, the outermost first
    std::uint16_t type = 0;           // of what follows the tags
    Octets rest;
};
// nullopt: cut off.
std::optional<EthernetHeader> read_ethernet(Octets frame);

struct IpHeader {
    IpAddr saddr, daddr;
    std::uint8_t protocol = 0;   // IPPROTO_…; extension headers of IPv6 are not followed
    bool later_fragment = false; // `rest` is not the beginning of what the protocol says
    Octets rest;
};
// `type`: kEtherIpv4 or kEtherIpv6. nullopt: cut off, or neither.
std::optional<IpHeader> read_ip(Octets packet, std::uint16_t type);

struct Ports {
    std::uint16_t source = 0, destination = 0; // host byte order
};
// Of TCP, UDP and their like; nullopt: it has none here.
std::optional<Ports> read_ports(const IpHeader& header);

// What the packet carries if its protocol is a tunnel of IP (RFC 2003, 2473, 4213): kEtherIpv4 or
// kEtherIpv6.
std::optional<std::uint16_t> tunnelled(const IpHeader& header);

} // namespace weir::text
