#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "base/fd.h"
#include "kernel/device_counters.h"
#include "kernel/refusal.h"

// `ethtool -S` by ioctl: its netlink successor has only the counters that all drivers share.
namespace weir::kernel {
namespace {

// Room for a structure of ethtool with `octets` behind it, aligned for any of them.
class Command {
public:
    Command(std::uint32_t command, std::size_t octets) : room_(octets / sizeof(std::uint64_t) + 1) {
        std::memcpy(room_.data(), &command, sizeof(command));
    }
    template <typename Header>
    Header* as() {
        return reinterpret_cast<Header*>(room_.data());
    }
    // Answers 0 or the errno.
    int ask(int socket, const std::string& interface) {
        ifreq request{};
        interface.copy(request.ifr_name, IFNAMSIZ - 1);
        request.ifr_data = reinterpret_cast<char*>(room_.data());
        return ioctl(socket, SIOCETHTOOL, &request) == 0 ? 0 : errno;
    }

private:
    std::vector<std::uint64_t> room_;
};

} // namespace

Result<NamedCounters> driver_counters(const std::string& interface) {
    const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (socket.get() < 0) {
        return refusal("opening a socket", errno);
    }
    Command sizes(ETHTOOL_GSSET_INFO, sizeof(ethtool_sset_info) + sizeof(std::uint32_t));
    sizes.as<ethtool_sset_info>()->sset_mask = 1ULL << ETH_SS_STATS;
    if (const int error = sizes.ask(socket.get(), interface); error != 0) {
        return error == EOPNOTSUPP ? Result<NamedCounters>{}
                                   : refusal("reading the driver's counters", error);
    }
    const std::size_t count =
        sizes.as<ethtool_sset_info>()->sset_mask == 0 ? 0 : sizes.as<ethtool_sset_info>()->data[0];
    if (count == 0) {
        return NamedCounters{};
    }
    Command names(ETHTOOL_GSTRINGS, sizeof(ethtool_gstrings) + count * ETH_GSTRING_LEN);
    names.as<ethtool_gstrings>()->string_set = ETH_SS_STATS;
    names.as<ethtool_gstrings>()->len = static_cast<std::uint32_t>(count);
    Command values(ETHTOOL_GSTATS, sizeof(ethtool_stats) + count * sizeof(std::uint64_t));
    values.as<ethtool_stats>()->n_stats = static_cast<std::uint32_t>(count);
    for (Command* each : {&names, &values}) {
        if (const int error = each->ask(socket.get(), interface); error != 0) {
            return refusal("reading the driver's counters", error);
        }
    }
    NamedCounters counters;
    for (std::size_t i = 0; i < count; i++) {
        const char* name =
            reinterpret_cast<const char*>(names.as<ethtool_gstrings>()->data) + i * ETH_GSTRING_LEN;
        counters.emplace_back(std::string(name, strnlen(name, ETH_GSTRING_LEN)),
                              values.as<ethtool_stats>()->data[i]);
    }
    return counters;
}

} // namespace weir::kernel
