#include "flow/frame.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>

#include "text/headers.h"

namespace weir::flow {
namespace {

constexpr std::size_t kDeepest = 4; // of tunnels

Tuple tuple_of(const text::IpHeader& header) {
    const text::Ports ports = text::read_ports(header).value_or(text::Ports{});
    return {.protocol = header.protocol,
            .known = true,
            .saddr = header.saddr,
            .daddr = header.daddr,
            .sport = ports.source,
            .dport = ports.destination};
}

// RFC 4291, 2.5.5.2: IPv4 is ::ffff:a.b.c.d.
U128 mapped(const IpAddr& address) {
    constexpr std::uint64_t kMapped = 0xffff00000000;
    const U128 number = address.number();
    return address.family() == Family::kIpv4 ? U128{0, kMapped | number.lo} : number;
}

} // namespace

std::vector<Tuple> tuples_of(std::span<const std::uint8_t> frame) {
    std::vector<Tuple> tuples;
    const auto ethernet = text::read_ethernet(frame);
    std::optional<std::uint16_t> type = ethernet ? std::optional(ethernet->type) : std::nullopt;
    auto rest = ethernet ? ethernet->rest : text::Octets{};
    while (type && tuples.size() < kDeepest) {
        const auto header = text::read_ip(rest, *type);
        if (!header) {
            break;
        }
        tuples.push_back(tuple_of(*header));
        type = text::tunnelled(*header);
        rest = header->rest;
    }
    return tuples;
}

bool is_of(const trace_flow& flow, const Tuple& tuple) {
    const bool v4 = tuple.saddr.family() == Family::kIpv4;
    const U128 saddr = mapped(tuple.saddr), daddr = mapped(tuple.daddr);
    std::array<std::uint64_t, TUPLE_SIZE> parts{};
    parts[TUPLE_FAMILY] = v4 ? AF_INET : AF_INET6;
    parts[TUPLE_PROTOCOL] = tuple.protocol;
    parts[TUPLE_SADDR_HIGH] = saddr.hi;
    parts[TUPLE_SADDR_LOW] = saddr.lo;
    parts[TUPLE_DADDR_HIGH] = daddr.hi;
    parts[TUPLE_DADDR_LOW] = daddr.lo;
    parts[TUPLE_SPORT] = tuple.sport;
    parts[TUPLE_DPORT] = tuple.dport;
    for (std::size_t i = 0; i < parts.size(); i++) {
        if ((parts[i] & flow.mask[i]) != flow.value[i]) {
            return false;
        }
    }
    return true;
}

} // namespace weir::flow
