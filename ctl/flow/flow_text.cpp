#include "flow/flow_text.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>

#include "text/lexer.h"

namespace weir::flow {
namespace {

using model::Field;
using model::Interval;
using text::Parsed;

constexpr std::uint64_t kAll = ~std::uint64_t{0};
constexpr std::uint64_t kMapped = 0xffff00000000; // RFC 4291, 2.5.5.2

text::TextError error(std::string message) {
    return {{}, std::move(message)};
}

void demand(trace_flow& flow, trace_tuple what, std::uint64_t value, std::uint64_t mask = kAll) {
    flow.mask[what] |= mask;
    flow.value[what] |= value & mask;
}

// Bits that all numbers of the interval share; they must be those of a prefix.
bool prefix_mask(const Interval& interval, U128& mask) {
    const U128 differ{interval.first.hi ^ interval.last.hi, interval.first.lo ^ interval.last.lo};
    mask = {~differ.hi, ~differ.lo};
    const auto is_low_ones = [](std::uint64_t bits) { return (bits & (bits + 1)) == 0; };
    const bool whole =
        is_low_ones(differ.hi) && is_low_ones(differ.lo) && (differ.hi == 0 || differ.lo == kAll);
    return whole && (interval.first.hi & differ.hi) == 0 && (interval.first.lo & differ.lo) == 0;
}

Parsed<void> demand_address(trace_flow& flow, const Interval& interval, bool source, bool ipv4) {
    U128 mask;
    if (!prefix_mask(interval, mask)) {
        return tl::unexpected(error("a flow has one address or prefix on each side, not a range"));
    }
    const auto high = source ? TUPLE_SADDR_HIGH : TUPLE_DADDR_HIGH;
    const auto low = source ? TUPLE_SADDR_LOW : TUPLE_DADDR_LOW;
    demand(flow, TUPLE_FAMILY, ipv4 ? AF_INET : AF_INET6);
    if (ipv4) {
        demand(flow, high, 0);
        demand(flow, low, kMapped | interval.first.lo, mask.lo | ~std::uint64_t{0xffffffff});
    } else {
        demand(flow, high, interval.first.hi, mask.hi);
        demand(flow, low, interval.first.lo, mask.lo);
    }
    return {};
}

Parsed<void> demand_field(trace_flow& flow, const model::Match& match) {
    const std::string_view keyword = model::info(match.field).keyword;
    if (match.negated || match.mask || !match.set.empty() || match.values.size() != 1) {
        return tl::unexpected(
            error(fmt::format("'{}': a flow has one value of it, without != and sets", keyword)));
    }
    const Interval& value = match.values.front();
    switch (match.field) {
    case Field::kIpSaddr:
    case Field::kIpDaddr:
        return demand_address(flow, value, match.field == Field::kIpSaddr, true);
    case Field::kIp6Saddr:
    case Field::kIp6Daddr:
        return demand_address(flow, value, match.field == Field::kIp6Saddr, false);
    case Field::kTcpSport:
    case Field::kUdpSport:
    case Field::kTcpDport:
    case Field::kUdpDport: {
        if (value.first != value.last) {
            return tl::unexpected(
                error(fmt::format("'{}': a flow has one port, not a range", keyword)));
        }
        const bool source = match.field == Field::kTcpSport || match.field == Field::kUdpSport;
        demand(flow, source ? TUPLE_SPORT : TUPLE_DPORT, value.first.lo);
        demand(flow, TUPLE_PROTOCOL, model::info(match.field).needs.transport);
        return {};
    }
    case Field::kMetaL4proto:
    case Field::kIpProtocol:
        demand(flow, TUPLE_PROTOCOL, value.first.lo);
        return {};
    default:
        return tl::unexpected(error(fmt::format(
            "'{}' tells no flow from others: there are ip saddr, ip daddr, ip6 saddr, ip6 daddr, "
            "tcp and udp sport and dport, meta l4proto",
            keyword)));
    }
}

} // namespace

Parsed<Flow> parse_flow(std::string_view words) {
    Flow flow{.match = {}, .text = std::string(words)};
    std::vector<text::Warning> warnings;
    // A flow is what a rule could match: its words are parsed with a verdict behind them.
    WEIR_PARSE(const model::Rule rule, text::parse_rule(flow.text + " accept", warnings));
    if (rule.matches.empty()) {
        return tl::unexpected(error("which flow? for instance: ip saddr 10.0.0.1 tcp dport 80"));
    }
    for (const model::Match& match : rule.matches) {
        WEIR_PARSE_CHECK(demand_field(flow.match, match));
    }
    return flow;
}

} // namespace weir::flow
