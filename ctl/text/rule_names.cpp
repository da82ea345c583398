#include "text/rule_names.h"

#include <algorithm>

namespace weir::text {
namespace {

using model::ValueType;

constexpr NamedValue kEtherTypes[] = {{"ip", 0x0800},    {"arp", 0x0806},    {"ip6", 0x86dd},
                                      {"8021q", 0x8100}, {"8021ad", 0x88a8}, {"vlan", 0x8100}};

// As in /etc/protocols, which nft asks. `ipip` is not among them: it is 94 there, and 4 to most
// readers.
constexpr NamedValue kProtocols[] = {
    {"ip", 0},        {"icmp", 1},        {"igmp", 2},       {"ipencap", 4},
    {"tcp", 6},       {"egp", 8},         {"udp", 17},       {"dccp", 33},
    {"ipv6", 41},     {"ipv6-route", 43}, {"ipv6-frag", 44}, {"rsvp", 46},
    {"gre", 47},      {"esp", 50},        {"ah", 51},        {"ipv6-icmp", 58},
    {"icmpv6", 58},   {"ipv6-nonxt", 59}, {"ipv6-opts", 60}, {"eigrp", 88},
    {"ospf", 89},     {"etherip", 97},    {"pim", 103},      {"ipcomp", 108},
    {"vrrp", 112},    {"l2tp", 115},      {"sctp", 132},     {"mobility-header", 135},
    {"udplite", 136}, {"mpls-in-ip", 137}};

constexpr NamedValue kDscps[] = {
    {"cs0", 0x00},   {"cs1", 0x08},  {"cs2", 0x10},  {"cs3", 0x18},  {"cs4", 0x20},
    {"cs5", 0x28},   {"cs6", 0x30},  {"cs7", 0x38},  {"df", 0x00},   {"be", 0x00},
    {"lephb", 0x01}, {"af11", 0x0a}, {"af12", 0x0c}, {"af13", 0x0e}, {"af21", 0x12},
    {"af22", 0x14},  {"af23", 0x16}, {"af31", 0x1a}, {"af32", 0x1c}, {"af33", 0x1e},
    {"af41", 0x22},  {"af42", 0x24}, {"af43", 0x26}, {"va", 0x2c},   {"ef", 0x2e}};

// `ece` is the name in RFC 9293; nft says `ecn`.
constexpr NamedValue kTcpFlags[] = {{"fin", 0x01}, {"syn", 0x02}, {"rst", 0x04},
                                    {"psh", 0x08}, {"ack", 0x10}, {"urg", 0x20},
                                    {"ecn", 0x40}, {"cwr", 0x80}, {"ece", 0x40}};

constexpr NamedValue kIcmpTypes[] = {{"echo-reply", 0},           {"destination-unreachable", 3},
                                     {"source-quench", 4},        {"redirect", 5},
                                     {"echo-request", 8},         {"router-advertisement", 9},
                                     {"router-solicitation", 10}, {"time-exceeded", 11},
                                     {"parameter-problem", 12},   {"timestamp-request", 13},
                                     {"timestamp-reply", 14},     {"info-request", 15},
                                     {"info-reply", 16},          {"address-mask-request", 17},
                                     {"address-mask-reply", 18}};

// Names for the codes of destination-unreachable, whatever the type is; so has nft.
constexpr NamedValue kIcmpCodes[] = {{"net-unreachable", 0},  {"host-unreachable", 1},
                                     {"prot-unreachable", 2}, {"port-unreachable", 3},
                                     {"frag-needed", 4},      {"net-prohibited", 9},
                                     {"host-prohibited", 10}, {"admin-prohibited", 13}};

constexpr NamedValue kIcmpv6Types[] = {
    {"destination-unreachable", 1},  {"packet-too-big", 2},         {"time-exceeded", 3},
    {"parameter-problem", 4},        {"echo-request", 128},         {"echo-reply", 129},
    {"mld-listener-query", 130},     {"mld-listener-report", 131},  {"mld-listener-done", 132},
    {"mld-listener-reduction", 132}, {"nd-router-solicit", 133},    {"nd-router-advert", 134},
    {"nd-neighbor-solicit", 135},    {"nd-neighbor-advert", 136},   {"nd-redirect", 137},
    {"router-renumbering", 138},     {"ind-neighbor-solicit", 141}, {"ind-neighbor-advert", 142},
    {"mld2-listener-report", 143}};

constexpr NamedValue kIcmpv6Codes[] = {{"no-route", 0},         {"admin-prohibited", 1},
                                       {"addr-unreachable", 3}, {"port-unreachable", 4},
                                       {"policy-fail", 5},      {"reject-route", 6}};

} // namespace

std::span<const NamedValue> names(ValueType type) {
    switch (type) {
    case ValueType::kEtherType:
        return kEtherTypes;
    case ValueType::kProto:
        return kProtocols;
    case ValueType::kDscp:
        return kDscps;
    case ValueType::kTcpFlags:
        return kTcpFlags;
    case ValueType::kIcmpType:
        return kIcmpTypes;
    case ValueType::kIcmpCode:
        return kIcmpCodes;
    case ValueType::kIcmpv6Type:
        return kIcmpv6Types;
    case ValueType::kIcmpv6Code:
        return kIcmpv6Codes;
    case ValueType::kIfname:
    case ValueType::kMac:
    case ValueType::kNumber:
    case ValueType::kIpv4:
    case ValueType::kIpv6:
    case ValueType::kPort:
        break;
    }
    return {};
}

std::optional<std::uint64_t> find_value(ValueType type, std::string_view name) {
    for (const NamedValue& row : names(type)) {
        if (row.name == name) {
            return row.value;
        }
    }
    return std::nullopt;
}

std::string_view find_name(ValueType type, std::uint64_t value) {
    for (const NamedValue& row : names(type)) {
        if (row.value == value) {
            return row.name;
        }
    }
    return {};
}

std::vector<std::string_view> all_names(ValueType type) {
    const auto rows = names(type);
    std::vector<std::string_view> result(rows.size());
    std::transform(rows.begin(), rows.end(), result.begin(),
                   [](const NamedValue& row) { return row.name; });
    return result;
}

} // namespace weir::text
