#pragma once

#include <cstdint>
#include <string>

#include "base/fd.h"

namespace weir::test {

// A network namespace of this thread alone, for as long as the object lives.
class PrivateNetwork {
public:
    PrivateNetwork();
    ~PrivateNetwork();
    PrivateNetwork(const PrivateNetwork&) = delete;
    PrivateNetwork& operator=(const PrivateNetwork&) = delete;

    // `ip ARGUMENTS`
    void ip(const std::string& arguments);
    // Only then do frames reach a veth from its peer's XDP.
    void switch_gro_on(const std::string& name);
    // sysctl("net/ipv4/ip_forward", "1")
    void sysctl(const std::string& path, const std::string& value);
    std::uint32_t ifindex(const std::string& name) const;

private:
    Fd before_;
};

} // namespace weir::test
