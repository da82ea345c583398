#include "bench/net/net_job.h"

#include <fmt/format.h>
#include <netinet/in.h>

#include "bench/net/lab.h"

namespace weir::bench {
namespace {

constexpr std::uint32_t kFirstSource = 0xac100000; // 172.16.0.0
constexpr std::uint32_t kHeaderOctets = 14 + 20 + 8; // Ethernet, IPv4, UDP

} // namespace

std::vector<NetJob> net_jobs() {
    return {{.name = "filter-1", .what = "drop by the only rule, on the UDP port", .rules = 1},
            {.name = "filter-100",
             .what = "drop by the last of 100 rules, each on another UDP port",
             .rules = 100},
            {.name = "filter-set",
             .what = fmt::format("drop by a set of {} source addresses", kSetSize),
             .set = true,
             .rules = 1},
            {.name = "forward", .what = "hand on to the sink", .forward = true}};
}

std::vector<std::string> set_elements() {
    std::vector<std::string> elements;
    for (std::uint32_t i = 0; i < kSetSize; i++) {
        elements.push_back(IpAddr::v4(kFirstSource + 2 * i).to_string());
    }
    return elements;
}

std::vector<std::uint16_t> rule_ports(std::uint32_t rules) {
    std::vector<std::uint16_t> ports;
    for (std::uint32_t i = 1; i < rules; i++) {
        ports.push_back(static_cast<std::uint16_t>(10000 + i));
    }
    ports.push_back(kPort);
    return ports;
}

Traffic net_traffic(const NetJob& job, std::uint32_t size, std::uint32_t flows) {
    text::PacketFields first;
    first.ether_saddr = MacAddr::from_number(kGeneratorMac);
    first.ether_daddr = MacAddr::from_number(kInMac);
    first.saddr = IpAddr::v4(kFirstSource);
    first.daddr = *IpAddr::parse(kVip);
    first.protocol = IPPROTO_UDP;
    first.dport = kPort;
    first.payload_length = size - kHeaderOctets;
    return make_traffic(flows, [&](std::size_t i) {
        text::PacketFields flow = nth_flow(first, i);
        if (job.set) {
            const auto element = static_cast<std::uint32_t>(i % kSetSize);
            flow.saddr = IpAddr::v4(kFirstSource + 2 * element);
            flow.sport = static_cast<std::uint16_t>(1024 + i / kSetSize);
        }
        return flow;
    });
}

} // namespace weir::bench
