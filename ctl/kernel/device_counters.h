#pragma once

#include <linux/if_link.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

// What the kernel counts of one interface of the current network namespace.
namespace weir::kernel {

struct LinkCounters {
    std::uint32_t peer = 0; // of a veth: the other end's index, in its own namespace
    rtnl_link_stats64 stats{};
};
Result<LinkCounters> link_counters(std::uint32_t ifindex);

// `ethtool -S`: the driver's own, by its own names. Empty: it has none.
using NamedCounters = std::vector<std::pair<std::string, std::uint64_t>>;
Result<NamedCounters> driver_counters(const std::string& interface);

struct QdiscCounters {
    std::string kind;          // "fq_codel"
    std::uint64_t packets = 0; // that left it
    std::uint64_t drops = 0;
    std::uint64_t queued = 0; // in it now
};
// The root of the queueing disciplines, in whose drops are those of all below it. None: the
// interface has no queue ("noqueue").
Result<std::optional<QdiscCounters>> root_qdisc(std::uint32_t ifindex);

} // namespace weir::kernel
