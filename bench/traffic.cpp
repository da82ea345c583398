#include "bench/traffic.h"

#include <netinet/in.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <string>

namespace weir::bench {
namespace {

constexpr std::size_t kEthernetHeader = 14;
constexpr std::uint16_t kFragmentOffset = 0x1fff;
constexpr std::uint64_t kOrderSeed = 1; // the same order in every run

rearm_header header_of(const std::vector<std::uint8_t>& frame) {
    rearm_header header{};
    std::memcpy(header.octets, frame.data(), std::min<std::size_t>(frame.size(), REARM_HEADER_MAX));
    return header;
}

// The lowest 32 bits go round.
IpAddr plus(const IpAddr& address, std::uint64_t n) {
    U128 number = address.number();
    const auto low = static_cast<std::uint32_t>(number.lo + n);
    number.lo = number.lo >> 32 << 32 | low;
    return address.family() == Family::kIpv4 ? IpAddr::v4(low) : IpAddr::v6(number);
}

// Where in its frame a packet says whose flow it is.
rearm_flows places_of(const text::PacketFields& packet) {
    rearm_flows places{};
    if (!packet.ip || !packet.saddr) {
        return places;
    }
    const bool ipv4 = packet.family == Family::kIpv4;
    const std::size_t l3 = kEthernetHeader + 4 * packet.vlan_ids.size(), l4 = l3 + (ipv4 ? 20 : 40);
    const std::uint8_t protocol = packet.protocol.value_or(IPPROTO_TCP);
    const auto at = [](std::size_t offset) { return static_cast<std::uint16_t>(offset); };
    places.saddr = static_cast<std::uint32_t>(packet.saddr->number().lo);
    places.saddr_at = at(ipv4 ? l3 + 12 : l3 + 8 + 12);
    places.ip_sum_at = ipv4 ? at(l3 + 10) : 0;
    if ((packet.frag_off & kFragmentOffset) != 0) {
        return places;
    }
    if (protocol == IPPROTO_TCP || protocol == IPPROTO_UDP) {
        places.sport_at = at(l4);
        places.l4_sum_at = at(l4 + (protocol == IPPROTO_TCP ? 16 : 6));
    } else if (protocol == IPPROTO_ICMPV6) {
        places.l4_sum_at = at(l4 + 2);
    }
    return places;
}

} // namespace

Traffic make_traffic(std::size_t count,
                     const std::function<text::PacketFields(std::size_t)>& packet) {
    Traffic traffic;
    traffic.headers.reserve(count);
    for (std::size_t i = 0; i < count; i++) {
        traffic.frame = text::build_frame(packet(i));
        traffic.headers.push_back(header_of(traffic.frame));
    }
    std::shuffle(traffic.headers.begin(), traffic.headers.end(), std::mt19937_64(kOrderSeed));
    return traffic;
}

Traffic make_flows(std::uint32_t flows, std::size_t count,
                   const std::function<text::PacketFields(std::size_t)>& packet) {
    const text::PacketFields first = packet(0);
    Traffic traffic = make_traffic(
        count, [&](std::size_t i) { return flows > 1 ? nth_flow(packet(i), 0) : packet(i); });
    if (flows > 1) {
        traffic.flows = places_of(first);
        traffic.flows.count = traffic.flows.saddr_at == 0 ? 0 : flows; // nothing tells them apart
    }
    return traffic;
}

text::PacketFields nth_flow(const text::PacketFields& first, std::size_t i) {
    text::PacketFields flow = first;
    if (flow.saddr) {
        flow.saddr = plus(*flow.saddr, REARM_ADDRESS(i));
    }
    flow.sport = static_cast<std::uint16_t>(REARM_PORT(i));
    return flow;
}

Result<Traffic> single_frame(const std::vector<std::uint8_t>& frame) {
    if (frame.size() < kEthernetHeader) {
        return usage("a frame of " + std::to_string(frame.size()) +
                     " octets: the kernel's test run takes no less than an Ethernet header, " +
                     std::to_string(kEthernetHeader));
    }
    return Traffic{frame, {header_of(frame)}};
}

} // namespace weir::bench
