#include "bench/net/lab.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/address.h"
#include "bench/process.h"
#include "kernel/refusal.h"

namespace weir::bench {
namespace {

constexpr int kOutMtu = 1600; // a full frame, and the header of a tunnel

std::string mac(std::uint64_t number) {
    return MacAddr::from_number(number).to_string();
}

Result<Fd> new_namespace() {
    if (unshare(CLONE_NEWNET) != 0) {
        return kernel::refusal("making a network namespace", errno);
    }
    Fd made(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    if (!made) {
        return fail_errno("opening /proc/thread-self/ns/net", errno);
    }
    // Frames that nobody generated, neighbour discovery, would be counted too.
    WEIR_CHECK(set_sysctl("net/ipv6/conf/default/disable_ipv6", 1));
    WEIR_CHECK(set_sysctl("net/ipv6/conf/all/disable_ipv6", 1));
    for (const char* which : {"all", "default"}) {
        WEIR_CHECK(set_sysctl(fmt::format("net/ipv4/conf/{}/rp_filter", which), 0));
    }
    return made;
}

// What each CPU sends goes through the queue of its number, as XDP does by itself: queues that CPUs
// share overflow. sysfs shows the namespace in which it was mounted, here without a mount point.
Result<> bind_queues_to_cpus(const std::string& interface, std::uint32_t queues) {
    const Fd context(fsopen("sysfs", FSOPEN_CLOEXEC));
    if (!context || fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) {
        return fail_errno("opening sysfs of a network namespace of the bench", errno);
    }
    const Fd sysfs(fsmount(context.get(), FSMOUNT_CLOEXEC, 0));
    for (std::uint32_t cpu = 0; cpu < queues; cpu++) {
        const auto name = fmt::format("class/net/{}/queues/tx-{}/xps_cpus", interface, cpu);
        const Fd file(openat(sysfs.get(), name.c_str(), O_WRONLY | O_CLOEXEC));
        std::string mask = fmt::format("{:x}", 1U << cpu % 32); // groups of 32 CPUs, highest first
        for (std::uint32_t group = 0; group < cpu / 32; group++) {
            mask += ",00000000";
        }
        if (!file || write(file.get(), mask.data(), mask.size()) < 0) {
            return fail_errno("writing " + name, errno);
        }
    }
    return {};
}

} // namespace

Result<> ip_batch(const std::string& commands) {
    WEIR_TRY(const auto said, run_process({"ip", "-batch", "-"}, commands));
    return {};
}

Result<> switch_gro_on(const std::string& interface) {
    const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ethtool_value value{};
    value.cmd = ETHTOOL_SGRO;
    value.data = 1;
    ifreq request{};
    std::strncpy(request.ifr_name, interface.c_str(), IFNAMSIZ - 1);
    request.ifr_data = reinterpret_cast<char*>(&value);
    if (ioctl(socket.get(), SIOCETHTOOL, &request) != 0) {
        return kernel::refusal("switching on GRO of " + interface, errno);
    }
    return {};
}

Result<> set_sysctl(const std::string& name, int value) {
    std::ofstream file("/proc/sys/" + name);
    file << value << std::flush;
    if (!file) {
        return fail_errno("writing /proc/sys/" + name, errno);
    }
    return {};
}

Result<std::uint32_t> index_of(const std::string& interface) {
    const std::uint32_t index = if_nametoindex(interface.c_str());
    if (index == 0) {
        return fail_errno("looking up interface " + interface, errno);
    }
    return index;
}

Result<> enter_private_mounts() {
    if (unshare(CLONE_NEWNS) != 0) {
        return kernel::refusal("making a mount namespace", errno);
    }
    if (mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        mount("bpf", "/sys/fs/bpf", "bpf", 0, nullptr) != 0) {
        return kernel::refusal("mounting a bpffs of the bench's own", errno);
    }
    return {};
}

Result<Lab> Lab::make(int number, std::uint32_t queues) {
    Lab lab(number);
    for (Fd& each : lab.namespaces_) {
        WEIR_TRY(each, new_namespace());
    }
    WEIR_CHECK(lab.lay_out(queues));
    return lab;
}

Result<> Lab::enter(Place place) const {
    if (setns(namespaces_[static_cast<std::size_t>(place)].get(), CLONE_NEWNET) != 0) {
        return fail_errno("entering a network namespace of the bench", errno);
    }
    return {};
}

std::string Lab::path(Place place) const {
    return fmt::format("/proc/{}/fd/{}", getpid(),
                       namespaces_[static_cast<std::size_t>(place)].get());
}

Result<> Lab::lay_out(std::uint32_t queues) const {
    const auto many = fmt::format("numtxqueues {0} numrxqueues {0}", queues);
    const std::string device = path(Place::kDevice);
    WEIR_CHECK(enter(Place::kGenerator));
    WEIR_CHECK(
        ip_batch(fmt::format("link add {0} address {1} {5} type veth peer name {2} address {3} "
                             "{5} netns {4}\nlink set {0} up\n",
                             generator(), mac(kGeneratorMac), in(), mac(kInMac), device, many)));
    WEIR_CHECK(enter(Place::kSink));
    WEIR_CHECK(
        ip_batch(fmt::format("link add {0} address {1} {6} type veth peer name {2} address {3} "
                             "{6} netns {4}\nlink set {0} up mtu {5}\n",
                             sink(), mac(kSinkMac), out(), mac(kOutMac), device, kOutMtu, many)));
    WEIR_CHECK(enter(Place::kDevice));
    WEIR_CHECK(ip_batch(fmt::format("link set lo up\nlink set {0} up\nlink set {1} up mtu {4}\n"
                                    "addr add 192.0.2.2/24 dev {0}\naddr add 10.0.2.1/24 dev {1}\n"
                                    "neigh add {2} lladdr {3} dev {1}\n",
                                    in(), out(), kBackend, mac(kSinkMac), kOutMtu)));
    WEIR_CHECK(set_sysctl("net/ipv4/ip_forward", 1));
    if (queues > 1) {
        WEIR_CHECK(bind_queues_to_cpus(out(), queues));
    }
    return switch_gro_on(in());
}

Result<std::uint64_t> Lab::received() const {
    WEIR_CHECK(enter(Place::kDevice));
    WEIR_TRY(const auto text, run_process({"ip", "-j", "-s", "link", "show", "dev", in()}));
    const auto links = nlohmann::json::parse(text, nullptr, false);
    try {
        return links.at(0).at("stats64").at("rx").at("packets").get<std::uint64_t>();
    } catch (const nlohmann::json::exception& error) {
        return fail(std::string("reading what `ip -j -s link` says: ") + error.what());
    }
}

} // namespace weir::bench
