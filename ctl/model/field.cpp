#include "model/field.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "base/protocols.h"
#include "maps/facts.h"

namespace weir::model {
namespace {

constexpr Dependency kNothing{};
constexpr Dependency kIpv4Header{kEthIpv4, 0};
constexpr Dependency kIpv6Header{kEthIpv6, 0};
constexpr Dependency kTcpHeader{0, kTcp};
constexpr Dependency kUdpHeader{0, kUdp};
constexpr Dependency kIcmpHeader{kEthIpv4, kIcmp};
constexpr Dependency kIcmpv6Header{kEthIpv6, kIcmpv6};

constexpr int kNone = -1;

// A field of at most 64 bits in one fact.
constexpr FieldInfo narrow(Field field, std::string_view keyword, ValueType type, int bits,
                           fact where, int set_fact, Dependency needs) {
    return {field, keyword, type, bits, kNone, where, set_fact, needs, (1ULL << bits) - 1};
}

// A field of 128 bits in two facts.
constexpr FieldInfo wide(Field field, std::string_view keyword, ValueType type, fact high, fact low,
                         int set_fact, Dependency needs) {
    return {field, keyword, type, 128, high, low, set_fact, needs, ~0ULL};
}

// In the order of enum Field: info() indexes it.
// clang-format off
constexpr std::array kFields{
    wide(Field::kIifname, "iifname", ValueType::kIfname, FACT_IFNAME_HI, FACT_IFNAME_LO, kNone, kNothing),
    wide(Field::kOifname, "oifname", ValueType::kIfname, FACT_IFNAME_HI, FACT_IFNAME_LO, kNone, kNothing),
    narrow(Field::kEtherSaddr, "ether saddr", ValueType::kMac, 48, FACT_ETHER_SADDR, kNone, kNothing),
    narrow(Field::kEtherDaddr, "ether daddr", ValueType::kMac, 48, FACT_ETHER_DADDR, kNone, kNothing),
    narrow(Field::kEtherType, "ether type", ValueType::kEtherType, 16, FACT_ETHER_TYPE, kNone, kNothing),
    narrow(Field::kVlanId, "vlan id", ValueType::kNumber, 12, FACT_VLAN_ID, kNone, kNothing),
    narrow(Field::kMetaL4proto, "meta l4proto", ValueType::kProto, 8, FACT_L4PROTO, kNone, kNothing),
    narrow(Field::kIpSaddr, "ip saddr", ValueType::kIpv4, 32, FACT_SADDR_LO, FACT_SADDR_SETS, kIpv4Header),
    narrow(Field::kIpDaddr, "ip daddr", ValueType::kIpv4, 32, FACT_DADDR_LO, FACT_DADDR_SETS, kIpv4Header),
    narrow(Field::kIpDscp, "ip dscp", ValueType::kDscp, 6, FACT_DSCP, kNone, kIpv4Header),
    narrow(Field::kIpFragOff, "ip frag-off", ValueType::kNumber, 16, FACT_FRAG_OFF, kNone, kIpv4Header),
    narrow(Field::kIpProtocol, "ip protocol", ValueType::kProto, 8, FACT_L4PROTO, kNone, kIpv4Header),
    wide(Field::kIp6Saddr, "ip6 saddr", ValueType::kIpv6, FACT_SADDR_HI, FACT_SADDR_LO, FACT_SADDR_SETS, kIpv6Header),
    wide(Field::kIp6Daddr, "ip6 daddr", ValueType::kIpv6, FACT_DADDR_HI, FACT_DADDR_LO, FACT_DADDR_SETS, kIpv6Header),
    narrow(Field::kIp6Dscp, "ip6 dscp", ValueType::kDscp, 6, FACT_DSCP, kNone, kIpv6Header),
    narrow(Field::kTcpSport, "tcp sport", ValueType::kPort, 16, FACT_SPORT, FACT_SPORT_SETS, kTcpHeader),
    narrow(Field::kTcpDport, "tcp dport", ValueType::kPort, 16, FACT_DPORT, FACT_DPORT_SETS, kTcpHeader),
    narrow(Field::kTcpFlags, "tcp flags", ValueType::kTcpFlags, 8, FACT_TCP_FLAGS, kNone, kTcpHeader),
    narrow(Field::kUdpSport, "udp sport", ValueType::kPort, 16, FACT_SPORT, FACT_SPORT_SETS, kUdpHeader),
    narrow(Field::kUdpDport, "udp dport", ValueType::kPort, 16, FACT_DPORT, FACT_DPORT_SETS, kUdpHeader),
    narrow(Field::kIcmpType, "icmp type", ValueType::kIcmpType, 8, FACT_ICMP_TYPE, kNone, kIcmpHeader),
    narrow(Field::kIcmpCode, "icmp code", ValueType::kIcmpCode, 8, FACT_ICMP_CODE, kNone, kIcmpHeader),
    narrow(Field::kIcmpv6Type, "icmpv6 type", ValueType::kIcmpv6Type, 8, FACT_ICMP_TYPE, kNone, kIcmpv6Header),
    narrow(Field::kIcmpv6Code, "icmpv6 code", ValueType::kIcmpv6Code, 8, FACT_ICMP_CODE, kNone, kIcmpv6Header),
};
// clang-format on

constexpr bool in_order() {
    for (std::size_t i = 0; i < kFields.size(); i++) {
        if (static_cast<std::size_t>(kFields[i].field) != i) {
            return false;
        }
    }
    return kFields.size() == static_cast<std::size_t>(Field::kIcmpv6Code) + 1;
}
static_assert(in_order(), "one row for each Field, in its order");

} // namespace

std::span<const FieldInfo> all_fields() {
    return kFields;
}

const FieldInfo& info(Field field) {
    return kFields[static_cast<std::size_t>(field)];
}

std::optional<Field> find_field(std::string_view keyword) {
    const auto* row = std::find_if(kFields.begin(), kFields.end(),
                                   [&](const FieldInfo& f) { return f.keyword == keyword; });
    return row == kFields.end() ? std::nullopt : std::optional(row->field);
}

} // namespace weir::model
