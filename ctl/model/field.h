#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/address.h"

namespace weir::model {

// What a rule can compare. One row of the table in field.cpp each; the parser, the printer and the
// compiler read that table, so that a new field is one row here and one fact in maps/facts.h.
enum class Field {
    kIifname,
    kOifname,
    kEtherSaddr,
    kEtherDaddr,
    kEtherType,
    kVlanId,
    kMetaL4proto,
    kIpSaddr,
    kIpDaddr,
    kIpDscp,
    kIpFragOff,
    kIpProtocol,
    kIp6Saddr,
    kIp6Daddr,
    kIp6Dscp,
    kTcpSport,
    kTcpDport,
    kTcpFlags,
    kUdpSport,
    kUdpDport,
    kIcmpType,
    kIcmpCode,
    kIcmpv6Type,
    kIcmpv6Code,
};

// How a field's values are written and printed.
enum class ValueType {
    kIfname,    // "eth0", "eth*"
    kMac,       // 02:00:00:00:00:01
    kEtherType, // ip, ip6, arp, 0x88cc
    kNumber,    // 0 to `max`
    kProto,     // tcp, udp, icmp, ipv6-icmp, 47
    kIpv4,
    kIpv6,
    kDscp,     // cs0, af11, ef, 0x2e
    kPort,     // 80 (as nft -n and ss -n print it; service names are accepted)
    kTcpFlags, // syn, ack, ...: a bit mask
    kIcmpType,
    kIcmpCode,
    kIcmpv6Type,
    kIcmpv6Code,
};

// A header that must be there before a field of it is compared; nft adds the same dependency.
struct Dependency {
    // The link's Ethernet type must be this (0: any).
    std::uint16_t ether_type = 0;
    // The transport header must be there and of this protocol (0: any).
    std::uint8_t transport = 0;
};

struct FieldInfo {
    Field field;
    std::string_view keyword; // "ip saddr"
    ValueType type;
    int bits;     // 128: an address or name in two facts
    int fact_hi;  // enum fact: upper 64 bits, or -1
    int fact_lo;  // enum fact
    int set_fact; // enum fact with the set mask, or -1: no named sets for this field
    Dependency needs;
    std::uint64_t maximum; // greatest value (64-bit fields)
};

std::span<const FieldInfo> all_fields();
const FieldInfo& info(Field field);
// By keyword, "ip saddr"; none if there is no such field.
std::optional<Field> find_field(std::string_view keyword);

} // namespace weir::model
