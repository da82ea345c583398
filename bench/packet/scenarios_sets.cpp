#include <fmt/format.h>
#include <linux/bpf.h>

#include <random>

#include "bench/packet/scenario.h"

namespace weir::bench {
namespace {

constexpr std::size_t kHeaders = 65536;

// Every second address, so that no two elements make one prefix.
IpAddr element(Family family, std::size_t i) {
    return family == Family::kIpv4 ? IpAddr::v4(static_cast<std::uint32_t>(0x0a000000 + 2 * i))
                                   : IpAddr::v6({0x20010db800000000, 2 * i});
}

std::string yaml(Family family, std::size_t size) {
    const bool four = family == Family::kIpv4;
    std::string text = fmt::format("firewall: {{ingress: {{rules: [\"{} saddr @big drop\"]}}}}\n"
                                   "sets:\n  big:\n    type: {}\n    elements: [",
                                   four ? "ip" : "ip6", four ? "ipv4_addr" : "ipv6_addr");
    for (std::size_t i = 0; i < size; i++) {
        const std::string address = element(family, i).to_string();
        text += (i == 0 ? "" : ",") + (four ? address : '"' + address + '"');
    }
    return text + "]\n";
}

Traffic members(Family family, std::size_t size, std::size_t beside) {
    std::mt19937_64 random(7);
    return make_traffic(kHeaders, [&](std::size_t) {
        text::PacketFields packet;
        packet.family = family;
        U128 number = element(family, random() % size).number();
        number.lo += beside;
        packet.saddr = family == Family::kIpv4 ? IpAddr::v4(static_cast<std::uint32_t>(number.lo))
                                               : IpAddr::v6(number);
        return packet;
    });
}

SetUp set_of(Family family, std::size_t size) {
    model::Limits limits;
    limits.set_elements = std::max(limits.set_elements, static_cast<std::uint32_t>(size));
    const std::string series = family == Family::kIpv4 ? "set4" : "set6";
    SetUp set_up{.limits = limits, .yaml = [=] { return yaml(family, size); }};
    for (const bool hit : {true, false}) {
        set_up.cases.push_back(
            {.name = fmt::format("{}-{}-{}", series, size, hit ? "hit" : "miss"),
             .what = fmt::format("one rule with a set of {} {} addresses, {} packets {}", size,
                                 family == Family::kIpv4 ? "IPv4" : "IPv6", kHeaders,
                                 hit ? "from them" : "from others"),
             .expect = hit ? XDP_DROP : XDP_PASS,
             .traffic = [=] { return members(family, size, hit ? 0 : 1); },
             .series = series + (hit ? "-hit" : "-miss"),
             .x = size});
    }
    return set_up;
}

} // namespace

std::vector<SetUp> set_scenarios() {
    return {set_of(Family::kIpv4, 10000), set_of(Family::kIpv4, 100000),
            set_of(Family::kIpv4, 1000000), set_of(Family::kIpv6, 10000),
            set_of(Family::kIpv6, 100000)};
}

} // namespace weir::bench
