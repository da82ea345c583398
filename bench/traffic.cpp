#include "bench/traffic.h"

#include <algorithm>
#include <cstring>
#include <random>
#include <string>

namespace weir::bench {
namespace {

constexpr std::size_t kEthernetHeader = 14;
constexpr std::uint64_t kOrderSeed = 1; // the same order in every run

rearm_header header_of(const std::vector<std::uint8_t>& frame) {
    rearm_header header{};
    std::memcpy(header.octets, frame.data(), std::min<std::size_t>(frame.size(), REARM_HEADER_MAX));
    return header;
}

IpAddr plus(const IpAddr& address, std::uint64_t n) {
    U128 number = address.number();
    number.lo += n;
    return address.family() == Family::kIpv4 ? IpAddr::v4(static_cast<std::uint32_t>(number.lo))
                                             : IpAddr::v6(number);
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

text::PacketFields nth_flow(const text::PacketFields& first, std::size_t i) {
    // 65,536 addresses, and ports that differ between them, too.
    const std::size_t address = i & 0xffff, round = i >> 16;
    text::PacketFields flow = first;
    if (flow.saddr) {
        flow.saddr = plus(*flow.saddr, address);
    }
    flow.sport = static_cast<std::uint16_t>(1024 + (round + address * 7919) % 60000);
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
