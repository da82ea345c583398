#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/result.h"

namespace weir::kernel {

// What frames of an interface begin with.
enum class LinkHeader {
    kEthernet,
    kNone,  // the IP header: tun, WireGuard, IP tunnels, PPP
    kOther, // InfiniBand, 802.11 monitors, …
};

// An interface of the current network namespace (rtnetlink, by libmnl).
struct Interface {
    std::uint32_t index = 0;
    std::string name;
    std::string kind; // "veth", "vlan", … ; empty for hardware
    MacAddr mac;
    LinkHeader header = LinkHeader::kEthernet;
    std::uint32_t mtu = 0;
    bool up = false;
    std::uint32_t xdp_program = 0; // id; 0: none
    std::string xdp_mode;          // "native", "generic", "offload", ""
};

Result<std::vector<Interface>> interfaces();
// Names the closest interface if there is no such one.
Result<Interface> find_interface(const std::string& name);

// What a driver can do with XDP (generic netlink family "netdev"; kernel 6.3 and later).
struct XdpFeatures {
    std::uint32_t index = 0;
    std::uint64_t bits = 0;         // enum netdev_xdp_act of the kernel
    std::vector<std::string> names; // "basic", "redirect", "ndo-xmit", "rx-sg", …
};
// None where the kernel has no such family.
Result<std::optional<std::vector<XdpFeatures>>> xdp_features();

} // namespace weir::kernel
