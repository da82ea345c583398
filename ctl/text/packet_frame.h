#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/address.h"

namespace weir::text {

// A packet as its headers' fields, each with a value that a real packet could have.
struct PacketFields {
    MacAddr ether_saddr = MacAddr::from_number(0x020000000001);
    MacAddr ether_daddr = MacAddr::from_number(0x020000000002);
    std::vector<std::uint16_t> vlan_ids;     // outermost first
    std::optional<std::uint16_t> ether_type; // none: that of the IP version

    bool ip = true; // false: payload follows the Ethernet header
    Family family = Family::kIpv4;
    std::optional<IpAddr> saddr; // none: an address for documentation (RFC 5737, RFC 3849)
    std::optional<IpAddr> daddr;
    std::uint8_t dscp = 0;
    std::uint8_t hop_limit = 64;          // IPv4: TTL
    std::uint16_t frag_off = 0;           // IPv4: flags and offset as in the header
    std::optional<std::uint8_t> protocol; // none: TCP

    std::uint16_t sport = 40000;
    std::uint16_t dport = 9;       // discard
    std::uint8_t tcp_flags = 0x02; // SYN: would a new connection get through?
    std::uint8_t icmp_type = 0;
    std::uint8_t icmp_code = 0;

    std::uint32_t payload_length = 0;
};

// The frame with right lengths and checksums.
std::vector<std::uint8_t> build_frame(const PacketFields& fields);

} // namespace weir::text
