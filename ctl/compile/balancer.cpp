#include <algorithm>
#include <cstring>
#include <netinet/in.h>
#include <set>

#include "compile/images.h"

namespace weir::compile {
namespace {

// Every node of a cluster must build the same rings; what tells services apart is no part of it.
constexpr std::uint64_t kRingSeed = 0;

service_key key(const IpAddr& vip, std::uint16_t port, std::uint8_t proto) {
    service_key key{
        .vip = {}, .port = htons(port), .proto = proto, .family = static_cast<__u8>(vip.family())};
    std::memcpy(key.vip, vip.octets().data(), sizeof key.vip);
    return key;
}

__u32 forward(model::Forward mode) {
    return mode == model::Forward::kIpip ? FORWARD_IPIP : FORWARD_L2_DSR;
}

backend entry(const model::Backend& from, const model::Service& of) {
    backend to{.addr = {},
               .handle = from.handle,
               .service = of.slot,
               .family = static_cast<__u32>(from.address.family()),
               .reserved = 0};
    std::memcpy(to.addr, from.address.octets().data(), sizeof to.addr);
    return to;
}

Ring ring(const model::Service& service) {
    std::vector<RingMember> members;
    for (const model::Backend& b : service.backends) {
        members.push_back({b.slot, b.weight, b.address});
    }
    return {service.slot, maglev(members, kRingSeed)};
}

} // namespace

Result<Balancer> compile_balancer(const model::Config& config, const model::Limits&) {
    const std::vector<model::Service>& services = config.balancer.services;
    Balancer balancer;
    std::set<IpAddr> vips;
    for (const model::Service& s : services) {
        const auto usable = std::count_if(s.backends.begin(), s.backends.end(),
                                          [](const model::Backend& b) { return b.weight > 0; });
        balancer.services.push_back(
            {key(s.key.vip, s.key.port, static_cast<std::uint8_t>(s.key.proto)),
             {.slot = s.slot,
              .ring = 0,
              .usable = static_cast<__u32>(usable),
              .forward = forward(s.forward),
              .ring_digest = 0}});
        balancer.any_port += s.key.port == 0;
        vips.insert(s.key.vip);
        for (const model::Backend& b : s.backends) {
            balancer.backends.emplace_back(b.slot, entry(b, s));
        }
        balancer.rings.push_back(ring(s));
    }
    for (const IpAddr& vip : vips) {
        balancer.services.push_back(
            {key(vip, 0, 0),
             {.slot = model::kNoSlot, .ring = 0, .usable = 0, .forward = 0, .ring_digest = 0}});
    }
    return balancer;
}

} // namespace weir::compile
