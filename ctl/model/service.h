#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "model/rule.h"

namespace weir::model {

enum class Transport : std::uint8_t { kTcp = 6, kUdp = 17 };
std::string_view name(Transport proto); // "tcp", "udp"

enum class Forward { kIpip, kL2Dsr };
std::string_view name(Forward mode); // "ipip", "l2dsr"

inline constexpr std::uint32_t kWeightMax = 65535;

struct Backend {
    IpAddr address;
    std::uint32_t weight = 1; // 0: keeps its flows, gets no new ones (as in ipvsadm)

    Handle handle = 0;
    Slot slot = kNoSlot;

    bool same(const Backend& other) const {
        return address == other.address && weight == other.weight;
    }
};

// What a service is known by: 203.0.113.10:80/tcp, [2001:db8::1]:443/udp, 203.0.113.10:any/tcp.
struct ServiceKey {
    IpAddr vip;
    std::uint16_t port = 0; // 0: any
    Transport proto = Transport::kTcp;

    std::string to_string() const;
    static Result<ServiceKey> parse(std::string_view text);
    auto operator<=>(const ServiceKey&) const = default;
};

inline constexpr std::uint16_t kVlanMax = 4094; // IEEE 802.1Q: 4095 is reserved

struct Service {
    ServiceKey key;
    Forward forward = Forward::kIpip;
    std::uint16_t vlan = 0; // identifier of the outermost tag of its frames; 0: untagged
    std::vector<Backend> backends; // in the order given; addresses are unique

    Handle handle = 0;
    Slot slot = kNoSlot;
    std::uint32_t buckets = 0; // of its ring: ring_buckets()

    // nullptr: none has it.
    const Backend* backend_in(Slot backend_slot) const;
};

// How many buckets the ring of a service with so many backends has, when it had `before` (0: it is
// new): a power of two. A ring grows with its service and never shrinks, as two buckets of which
// flows are known have no one owner; so it follows from the sequence of configurations alone, and is
// the same on every node that saw the same.
std::uint32_t ring_buckets(std::size_t backends, std::uint32_t before);

} // namespace weir::model
