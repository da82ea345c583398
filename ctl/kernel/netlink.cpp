#include "kernel/netlink.h"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>

#include <algorithm>
#include <cstring>

#include "kernel/netlink_dump.h"

namespace weir::kernel {
namespace {

std::string kind_of(const nlattr* info) {
    std::string kind;
    each_nested(info, [&](const nlattr* attribute) {
        if (mnl_attr_get_type(attribute) == IFLA_INFO_KIND) {
            kind = mnl_attr_get_str(attribute);
        }
    });
    return kind;
}

const char* mode_name(std::uint8_t attached) {
    switch (attached) {
    case XDP_ATTACHED_DRV:
        return "native";
    case XDP_ATTACHED_SKB:
        return "generic";
    case XDP_ATTACHED_HW:
        return "offload";
    case XDP_ATTACHED_MULTI:
        return "native and generic";
    default:
        return "";
    }
}

// In linux/if_arp.h, which does not go together with net/if.h.
constexpr unsigned short kIp6Gre = 823;

LinkHeader header_of(unsigned short type) {
    switch (type) {
    case ARPHRD_ETHER:
    case ARPHRD_LOOPBACK:
        return LinkHeader::kEthernet;
    case ARPHRD_NONE:
    case ARPHRD_TUNNEL:
    case ARPHRD_TUNNEL6:
    case ARPHRD_SIT:
    case ARPHRD_IPGRE:
    case kIp6Gre:
    case ARPHRD_RAWIP:
    case ARPHRD_PPP:
        return LinkHeader::kNone;
    default:
        return LinkHeader::kOther;
    }
}

void read_xdp(const nlattr* xdp, Interface& into) {
    each_nested(xdp, [&](const nlattr* attribute) {
        switch (mnl_attr_get_type(attribute)) {
        case IFLA_XDP_ATTACHED:
            into.xdp_mode = mode_name(mnl_attr_get_u8(attribute));
            break;
        // With programs in several modes the kernel gives one attribute for each of them, and no
        // IFLA_XDP_PROG_ID: the native one sees packets first.
        case IFLA_XDP_PROG_ID:
        case IFLA_XDP_DRV_PROG_ID:
            into.xdp_program = mnl_attr_get_u32(attribute);
            break;
        default:
            break;
        }
    });
}

Interface read_link(const nlmsghdr* message) {
    const auto* header = static_cast<const ifinfomsg*>(mnl_nlmsg_get_payload(message));
    Interface link;
    link.index = static_cast<std::uint32_t>(header->ifi_index);
    link.header = header_of(header->ifi_type);
    link.up = (header->ifi_flags & IFF_UP) != 0;
    each_attribute(message, sizeof(*header), [&](const nlattr* attribute) {
        switch (mnl_attr_get_type(attribute)) {
        case IFLA_IFNAME:
            link.name = mnl_attr_get_str(attribute);
            break;
        case IFLA_MTU:
            link.mtu = mnl_attr_get_u32(attribute);
            break;
        case IFLA_ADDRESS:
            if (std::array<std::uint8_t, 6> mac{};
                mnl_attr_get_payload_len(attribute) == mac.size()) {
                std::memcpy(mac.data(), mnl_attr_get_payload(attribute), mac.size());
                link.mac = MacAddr(mac);
            }
            break;
        case IFLA_LINKINFO:
            link.kind = kind_of(attribute);
            break;
        case IFLA_XDP:
            read_xdp(attribute, link);
            break;
        default:
            break;
        }
    });
    return link;
}

// Levenshtein's distance: how many letters differ.
std::size_t distance(const std::string& a, const std::string& b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) {
        row[j] = j;
    }
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t corner = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t changed = corner + (a[i - 1] == b[j - 1] ? 0 : 1);
            corner = row[j];
            row[j] = std::min({changed, row[j] + 1, row[j - 1] + 1});
        }
    }
    return row[b.size()];
}

} // namespace

Result<std::vector<Interface>> interfaces() {
    WEIR_TRY(Netlink netlink, Netlink::open(NETLINK_ROUTE));
    Request request(RTM_GETLINK, NLM_F_DUMP);
    request.header<ifinfomsg>()->ifi_family = AF_UNSPEC;
    std::vector<Interface> links;
    WEIR_CHECK(netlink.ask(request, "listing interfaces", [&](const nlmsghdr* message) {
        if (message->nlmsg_type == RTM_NEWLINK) {
            links.push_back(read_link(message));
        }
    }));
    return links;
}

Result<Interface> find_interface(const std::string& name) {
    WEIR_TRY(const auto links, interfaces());
    const Interface* nearest = nullptr;
    for (const Interface& link : links) {
        if (link.name == name) {
            return link;
        }
        if (!nearest || distance(name, link.name) < distance(name, nearest->name)) {
            nearest = &link;
        }
    }
    std::string message = "no interface '" + name + "' in this network namespace";
    // A third of the letters may be wrong, at least one.
    if (nearest && distance(name, nearest->name) <= std::max<std::size_t>(1, name.size() / 3)) {
        message += ": did you mean '" + nearest->name + "'?";
    } else {
        message += ": `ip link` lists them";
    }
    return fail(message);
}

} // namespace weir::kernel
