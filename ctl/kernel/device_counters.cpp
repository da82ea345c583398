#include "kernel/device_counters.h"

#include <linux/gen_stats.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <cstring>

#include "kernel/netlink_dump.h"

namespace weir::kernel {
namespace {

// As much of a structure as the kernel gives: an older one gives less, a newer one more.
template <typename Counters>
Counters payload(const nlattr* attribute) {
    Counters counters{};
    std::memcpy(&counters, mnl_attr_get_payload(attribute),
                std::min<std::size_t>(sizeof(counters), mnl_attr_get_payload_len(attribute)));
    return counters;
}

QdiscCounters read_qdisc(const nlmsghdr* message) {
    QdiscCounters qdisc;
    each_attribute(message, sizeof(tcmsg), [&](const nlattr* attribute) {
        if (mnl_attr_get_type(attribute) == TCA_KIND) {
            qdisc.kind = mnl_attr_get_str(attribute);
        }
        if (mnl_attr_get_type(attribute) != TCA_STATS2) {
            return;
        }
        each_nested(attribute, [&](const nlattr* counters) {
            if (mnl_attr_get_type(counters) == TCA_STATS_BASIC) {
                qdisc.packets = std::max<std::uint64_t>(
                    qdisc.packets, payload<gnet_stats_basic>(counters).packets);
            } else if (mnl_attr_get_type(counters) == TCA_STATS_PKT64) {
                qdisc.packets = mnl_attr_get_u64(counters); // beyond 32 bits
            } else if (mnl_attr_get_type(counters) == TCA_STATS_QUEUE) {
                const auto queue = payload<gnet_stats_queue>(counters);
                qdisc.drops = queue.drops;
                qdisc.queued = queue.qlen;
            }
        });
    });
    return qdisc;
}

} // namespace

Result<LinkCounters> link_counters(std::uint32_t ifindex) {
    WEIR_TRY(Netlink netlink, Netlink::open(NETLINK_ROUTE));
    Request request(RTM_GETLINK, 0);
    request.header<ifinfomsg>()->ifi_index = static_cast<int>(ifindex);
    LinkCounters counters;
    WEIR_CHECK(
        netlink.ask(request, "reading an interface's counters", [&](const nlmsghdr* message) {
            each_attribute(message, sizeof(ifinfomsg), [&](const nlattr* attribute) {
                if (mnl_attr_get_type(attribute) == IFLA_STATS64) {
                    counters.stats = payload<rtnl_link_stats64>(attribute);
                } else if (mnl_attr_get_type(attribute) == IFLA_LINK) {
                    counters.peer = mnl_attr_get_u32(attribute);
                }
            });
        }));
    return counters;
}

Result<std::optional<QdiscCounters>> root_qdisc(std::uint32_t ifindex) {
    WEIR_TRY(Netlink netlink, Netlink::open(NETLINK_ROUTE));
    Request request(RTM_GETQDISC, NLM_F_DUMP);
    auto* header = request.header<tcmsg>();
    header->tcm_family = AF_UNSPEC;
    header->tcm_ifindex = static_cast<int>(ifindex);
    std::optional<QdiscCounters> root;
    WEIR_CHECK(netlink.ask(request, "reading queueing disciplines", [&](const nlmsghdr* message) {
        const auto* of = static_cast<const tcmsg*>(mnl_nlmsg_get_payload(message));
        if (message->nlmsg_type != RTM_NEWQDISC || of->tcm_parent != TC_H_ROOT ||
            of->tcm_ifindex != static_cast<int>(ifindex)) {
            return;
        }
        if (QdiscCounters read = read_qdisc(message); read.kind != "noqueue") {
            root = std::move(read);
        }
    }));
    return root;
}

} // namespace weir::kernel
