#include "support/private_network.h"

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <stdexcept>

namespace weir::test {

PrivateNetwork::PrivateNetwork() : before_(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)) {
    if (!before_ || unshare(CLONE_NEWNET) != 0) {
        throw std::runtime_error(std::string("new network namespace: ") + std::strerror(errno));
    }
}

PrivateNetwork::~PrivateNetwork() {
    if (setns(before_.get(), CLONE_NEWNET) != 0) {
        std::abort(); // every later test would run in the wrong namespace
    }
}

void PrivateNetwork::ip(const std::string& arguments) {
    if (std::system(("ip " + arguments).c_str()) != 0) {
        throw std::runtime_error("ip " + arguments);
    }
}

void PrivateNetwork::switch_gro_on(const std::string& name) {
    if (std::system(("ethtool -K " + name + " gro on").c_str()) != 0) {
        throw std::runtime_error("ethtool -K " + name);
    }
}

void PrivateNetwork::sysctl(const std::string& path, const std::string& value) {
    std::ofstream file("/proc/sys/" + path);
    file << value << std::flush;
    if (!file) {
        throw std::runtime_error("sysctl " + path);
    }
}

std::uint32_t PrivateNetwork::ifindex(const std::string& name) const {
    return if_nametoindex(name.c_str());
}

} // namespace weir::test
