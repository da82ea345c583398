#include "text/packet_frame.h"

#include <array>

#include "base/protocols.h"

namespace weir::text {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::uint16_t kEthVlan = 0x8100;    // 802.1Q
constexpr std::uint16_t kEthService = 0x88a8; // 802.1ad, the outer of two tags
constexpr std::uint16_t kEthLocal = 0x88b5;   // IEEE 802: for local experiments
constexpr std::uint16_t kFragmentOffset = 0x1fff;

void put16(Bytes& out, std::size_t value) {
    out.push_back(static_cast<std::uint8_t>(value >> 8));
    out.push_back(static_cast<std::uint8_t>(value));
}

void put32(Bytes& out, std::size_t value) {
    put16(out, value >> 16);
    put16(out, value & 0xffff);
}

void put_address(Bytes& out, const IpAddr& address) {
    const auto& octets = address.octets();
    out.insert(out.end(), octets.begin(), octets.begin() + address.bits() / 8);
}

// RFC 1071.
std::uint16_t checksum(const Bytes& data) {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < data.size(); i++) {
        sum += static_cast<std::uint64_t>(data[i]) << (i % 2 == 0 ? 8 : 0);
    }
    while (sum >> 16 != 0) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return static_cast<std::uint16_t>(~sum);
}

void set16(Bytes& out, std::size_t at, std::uint16_t value) {
    out[at] = static_cast<std::uint8_t>(value >> 8);
    out[at + 1] = static_cast<std::uint8_t>(value);
}

struct Addresses {
    IpAddr source;
    IpAddr destination;
};

Addresses addresses(const PacketFields& fields) {
    const bool v4 = fields.family == Family::kIpv4;
    const IpAddr source = v4 ? IpAddr::v4(0xc6336401)                    // 198.51.100.1
                             : IpAddr::v6({0x20010db800000000, 1});      // 2001:db8::1
    const IpAddr destination = v4 ? IpAddr::v4(0xc0000201)               // 192.0.2.1
                                  : IpAddr::v6({0x20010db800000000, 2}); // 2001:db8::2
    return {fields.saddr.value_or(source), fields.daddr.value_or(destination)};
}

// RFC 793, 768, 8200: the addresses, protocol and length that a transport checksum covers.
Bytes pseudo_header(const Addresses& ends, std::uint8_t protocol, std::size_t length) {
    Bytes out;
    put_address(out, ends.source);
    put_address(out, ends.destination);
    put32(out, length);
    put32(out, protocol);
    return out;
}

// The transport header with payload; where its checksum lies in it, if it has one.
struct Transport {
    Bytes octets;
    std::size_t checksum_at = 0;
    bool pseudo = true;
};

Transport transport_header(const PacketFields& fields, std::uint8_t protocol) {
    Transport out;
    Bytes& o = out.octets;
    switch (protocol) {
    case kTcp:
        put16(o, fields.sport);
        put16(o, fields.dport);
        put32(o, 1);                         // sequence
        put32(o, 0);                         // acknowledgement
        put16(o, 0x5000 | fields.tcp_flags); // data offset 5
        put16(o, 0xffff);                    // window
        put32(o, 0);                         // checksum, urgent pointer
        out.checksum_at = 16;
        break;
    case kUdp:
        put16(o, fields.sport);
        put16(o, fields.dport);
        put16(o, 8 + fields.payload_length);
        put16(o, 0);
        out.checksum_at = 6;
        break;
    case kIcmp:
    case kIcmpv6:
        o = {fields.icmp_type, fields.icmp_code};
        put16(o, 0);
        put16(o, 1); // identifier and sequence, where it is an echo
        put16(o, 1);
        out.checksum_at = 2;
        out.pseudo = protocol == kIcmpv6;
        break;
    default:
        break;
    }
    return out;
}

Bytes transport(const PacketFields& fields, const Addresses& ends) {
    const std::uint8_t protocol = fields.protocol.value_or(kTcp);
    const bool later = fields.family == Family::kIpv4 && (fields.frag_off & kFragmentOffset) != 0;
    Transport made = later ? Transport{} : transport_header(fields, protocol);
    for (std::uint32_t i = 0; i < fields.payload_length; i++) {
        made.octets.push_back(static_cast<std::uint8_t>(i));
    }
    if (made.checksum_at != 0) {
        Bytes covered = made.pseudo ? pseudo_header(ends, protocol, made.octets.size()) : Bytes{};
        covered.insert(covered.end(), made.octets.begin(), made.octets.end());
        const std::uint16_t sum = checksum(covered);
        // RFC 768: a computed 0 is sent as all ones.
        set16(made.octets, made.checksum_at, sum == 0 && protocol == kUdp ? 0xffff : sum);
    }
    return made.octets;
}

Bytes ipv4_header(const PacketFields& fields, const Addresses& ends, std::size_t payload) {
    Bytes out = {0x45, static_cast<std::uint8_t>(fields.dscp << 2)};
    put16(out, 20 + payload);
    put16(out, 0); // identification
    put16(out, fields.frag_off);
    out.push_back(fields.hop_limit);
    out.push_back(fields.protocol.value_or(kTcp));
    put16(out, 0);
    put_address(out, ends.source);
    put_address(out, ends.destination);
    set16(out, 10, checksum(out));
    return out;
}

Bytes ipv6_header(const PacketFields& fields, const Addresses& ends, std::size_t payload) {
    Bytes out;
    put32(out, 6U << 28 | static_cast<std::uint32_t>(fields.dscp) << 22);
    put16(out, payload);
    out.push_back(fields.protocol.value_or(kTcp));
    out.push_back(fields.hop_limit);
    put_address(out, ends.source);
    put_address(out, ends.destination);
    return out;
}

Bytes ethernet_header(const PacketFields& fields) {
    Bytes out(fields.ether_daddr.octets().begin(), fields.ether_daddr.octets().end());
    out.insert(out.end(), fields.ether_saddr.octets().begin(), fields.ether_saddr.octets().end());
    for (std::size_t i = 0; i < fields.vlan_ids.size(); i++) {
        const bool innermost = i + 1 == fields.vlan_ids.size();
        put16(out, innermost ? kEthVlan : kEthService);
        put16(out, fields.vlan_ids[i]);
    }
    const std::uint16_t of_ip = fields.family == Family::kIpv4 ? kEthIpv4 : kEthIpv6;
    put16(out, fields.ether_type.value_or(fields.ip ? of_ip : kEthLocal));
    return out;
}

} // namespace

std::vector<std::uint8_t> build_frame(const PacketFields& fields) {
    Bytes frame = ethernet_header(fields);
    if (!fields.ip) {
        frame.resize(frame.size() + fields.payload_length);
        return frame;
    }
    const Addresses ends = addresses(fields);
    const Bytes rest = transport(fields, ends);
    const Bytes header = fields.family == Family::kIpv4 ? ipv4_header(fields, ends, rest.size())
                                                        : ipv6_header(fields, ends, rest.size());
    frame.insert(frame.end(), header.begin(), header.end());
    frame.insert(frame.end(), rest.begin(), rest.end());
    return frame;
}

} // namespace weir::text
