#include <fmt/format.h>

#include "bench/net/peers.h"
#include "bench/process.h"

namespace weir::bench {
namespace {

// None of these counts what it hands on: the sink does.
Result<Device> kernel_forwarding(const Lab& lab, const NetJob&) {
    WEIR_TRY(const auto said,
             run_process({"ip", "route", "add", kVip, "via", kBackend, "dev", lab.out()}));
    return Device{};
}

Result<Device> nft_dnat(const Lab&, const NetJob&) {
    const std::string ruleset =
        fmt::format("table ip bench {{\n  chain in {{\n"
                    "    type nat hook prerouting priority dstnat\n"
                    "    ip daddr {} udp dport {} dnat to {}:{}\n  }}\n}}\n",
                    kVip, kPort, kBackend, kPort);
    WEIR_TRY(const auto said, run_process({"nft", "-f", "-"}, ruleset));
    return Device{};
}

// Direct routing, by a hash of the source: what Weir's L2 DSR does.
Result<Device> ipvs(const Lab&, const NetJob&) {
    const std::string service = fmt::format("{}:{}", kVip, kPort);
    WEIR_TRY(const auto local,
             run_process({"ip", "addr", "add", fmt::format("{}/32", kVip), "dev", "lo"}));
    WEIR_TRY(const auto added, run_process({"ipvsadm", "-A", "-u", service, "-s", "mh"}));
    WEIR_TRY(const auto backend, run_process({"ipvsadm", "-a", "-u", service, "-r",
                                              fmt::format("{}:{}", kBackend, kPort), "-g"}));
    return Device{};
}

} // namespace

std::vector<Peer> forward_peers() {
    return {
        {"kernel", "the kernel's own forwarding, one route", NetMode::kStack, kernel_forwarding},
        {"nft-dnat", "nftables, DNAT with connection tracking", NetMode::kStack, nft_dnat},
        {"ipvs", "IPVS, direct routing, Maglev hashing", NetMode::kStack, ipvs},
    };
}

} // namespace weir::bench
