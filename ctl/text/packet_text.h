#pragma once

#include <string_view>

#include "text/packet_frame.h"
#include "text/rule_text.h"

namespace weir::text {

// A packet described by the words of rules, one value each, in any order:
//   ip saddr 10.0.0.1 ip daddr 203.0.113.10 tcp dport 80 tcp flags syn payload length 100
// Besides the fields of rules (but for interface names): `ip ttl N`, `ip6 hoplimit N`,
// `payload length N`. `vlan id` may stand twice, outermost first.
// What it says nothing of is as in `unsaid`.
Parsed<PacketFields> parse_packet(std::string_view description, const PacketFields& unsaid = {});

} // namespace weir::text
