#include <linux/genetlink.h>

#include <cerrno>

#include "kernel/netlink.h"
#include "kernel/netlink_dump.h"

namespace weir::kernel {
namespace {

// include/uapi/linux/netdev.h of kernel 6.3; Debian 12's headers (6.1) have no such file.
constexpr const char* kFamily = "netdev";  // NETDEV_FAMILY_NAME
constexpr std::uint8_t kCmdDevGet = 1;     // NETDEV_CMD_DEV_GET
constexpr std::uint16_t kAttrIfindex = 1;  // NETDEV_A_DEV_IFINDEX
constexpr std::uint16_t kAttrFeatures = 3; // NETDEV_A_DEV_XDP_FEATURES
// enum netdev_xdp_act, by bit.
constexpr const char* kNames[] = {"basic",      "redirect", "ndo-xmit",   "xsk-zerocopy",
                                  "hw-offload", "rx-sg",    "ndo-xmit-sg"};

// 0 where the kernel has no such family.
Result<std::uint16_t> family_id(Netlink& netlink) {
    Request request(GENL_ID_CTRL, 0);
    auto* header = request.header<genlmsghdr>();
    header->cmd = CTRL_CMD_GETFAMILY;
    header->version = 1;
    mnl_attr_put_strz(request.message(), CTRL_ATTR_FAMILY_NAME, kFamily);
    std::uint16_t id = 0;
    int code = 0;
    auto asked = netlink.ask(
        request, "looking up the netdev family",
        [&](const nlmsghdr* message) {
            each_attribute(message, sizeof(genlmsghdr), [&](const nlattr* attribute) {
                if (mnl_attr_get_type(attribute) == CTRL_ATTR_FAMILY_ID) {
                    id = mnl_attr_get_u16(attribute);
                }
            });
        },
        &code);
    if (!asked && code != ENOENT) {
        return fail(std::move(asked).error());
    }
    return id;
}

XdpFeatures read_device(const nlmsghdr* message) {
    XdpFeatures features;
    each_attribute(message, sizeof(genlmsghdr), [&](const nlattr* attribute) {
        if (mnl_attr_get_type(attribute) == kAttrIfindex) {
            features.index = mnl_attr_get_u32(attribute);
        } else if (mnl_attr_get_type(attribute) == kAttrFeatures) {
            features.bits = mnl_attr_get_u64(attribute);
        }
    });
    for (std::size_t bit = 0; bit < std::size(kNames); ++bit) {
        if ((features.bits >> bit & 1) != 0) {
            features.names.emplace_back(kNames[bit]);
        }
    }
    return features;
}

} // namespace

Result<std::optional<std::vector<XdpFeatures>>> xdp_features() {
    WEIR_TRY(Netlink netlink, Netlink::open(NETLINK_GENERIC));
    WEIR_TRY(const std::uint16_t family, family_id(netlink));
    if (family == 0) {
        return std::nullopt;
    }
    Request request(family, NLM_F_DUMP);
    auto* header = request.header<genlmsghdr>();
    header->cmd = kCmdDevGet;
    header->version = 1;
    std::vector<XdpFeatures> devices;
    WEIR_CHECK(netlink.ask(request, "asking for XDP features", [&](const nlmsghdr* message) {
        devices.push_back(read_device(message));
    }));
    return devices;
}

} // namespace weir::kernel
