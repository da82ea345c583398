#include <fmt/format.h>

#include "bench/apps/apps_run.h"

namespace weir::bench {
namespace {

Result<Device> direct(const AppsLab&) {
    return Device{};
}

Result<Device> set_up_forwarding(const AppsLab& apps) {
    WEIR_CHECK(apps.lab().enter(Lab::Place::kDevice));
    WEIR_CHECK(ip_batch(fmt::format("route add {} via {}\n", kVip, kBackend)));
    return Device{};
}

Result<Device> set_up_dnat(const AppsLab& apps) {
    WEIR_CHECK(apps.answer_through_device());
    WEIR_CHECK(apps.lab().enter(Lab::Place::kDevice));
    WEIR_CHECK(
        run_process({"nft", "-f", "-"}, fmt::format("table ip bench {{\n  chain in {{\n"
                                                    "    type nat hook prerouting priority dstnat\n"
                                                    "    ip daddr {} dnat to {}\n  }}\n}}\n",
                                                    kVip, kBackend)));
    return Device{};
}

// Direct routing, by a hash of the source: what Weir's L2 DSR does.
Result<Device> set_up_ipvs(const AppsLab& apps) {
    WEIR_CHECK(apps.lab().enter(Lab::Place::kDevice));
    WEIR_CHECK(ip_batch(fmt::format("addr add {}/32 dev lo\n", kVip)));
    for (const std::uint16_t port : {kHttpPort, kIperfPort}) {
        const std::string service = fmt::format("{}:{}", kVip, port);
        WEIR_CHECK(run_process({"ipvsadm", "-A", "-t", service, "-s", "mh"}));
        WEIR_CHECK(run_process(
            {"ipvsadm", "-a", "-t", service, "-r", fmt::format("{}:{}", kBackend, port), "-g"}));
    }
    return Device{};
}

} // namespace

std::vector<AppsPeer> apps_peers() {
    constexpr NetMode kStack = NetMode::kStack;
    return {
        {kDirectPeer, "no device between", kStack, direct, true},
        {"kernel", "the kernel's own forwarding, one route; answers go past the device", kStack,
         set_up_forwarding},
        {"nft-dnat", "nftables, DNAT with connection tracking; answers come back through it",
         kStack, set_up_dnat},
        {"ipvs", "IPVS, direct routing, Maglev hashing", kStack, set_up_ipvs},
    };
}

} // namespace weir::bench
