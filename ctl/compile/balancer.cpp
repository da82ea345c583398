#include <cstring>
#include <map>
#include <netinet/in.h>

#include "compile/images.h"
#include "maps/flow_hash.h"

namespace weir::compile {
namespace {

__u32 forward(model::Forward mode) {
    return mode == model::Forward::kIpip ? FORWARD_IPIP : FORWARD_L2_DSR;
}

// RFC 1071, over what is the same in every outer header to a backend: flags, TTL, protocol and
// destination; words as they are in memory.
__u32 outer_sum(const IpAddr& address) {
    if (address.family() != Family::kIpv4) {
        return 0;
    }
    const std::uint8_t header[] = {0x40, 0, 64, IPPROTO_IPIP};
    __u32 sum = 0;
    const auto add = [&](const std::uint8_t* from, std::size_t size) {
        for (std::size_t i = 0; i < size; i += 2) {
            std::uint16_t word = 0;
            std::memcpy(&word, from + i, sizeof word);
            sum += word;
        }
    };
    add(header, sizeof header);
    add(address.octets().data(), 4);
    return sum;
}

backend entry(const model::Backend& from, const model::Service& of) {
    backend to{.addr = {},
               .handle = from.handle,
               .service = of.slot,
               .family = static_cast<__u32>(from.address.family()),
               .sum = outer_sum(from.address)};
    std::memcpy(to.addr, from.address.octets().data(), sizeof to.addr);
    return to;
}

service entry(const IpAddr& vip, std::uint16_t port, std::uint8_t proto, std::uint32_t vlan) {
    const U128 number = vip.number();
    service to{};
    to.vip_hi = number.hi;
    to.vip_lo = number.lo;
    to.key = SERVICE_KEY(port, proto, static_cast<__u32>(vip.family()));
    to.flags = SERVICE_HERE;
    to.slot = model::kNoSlot;
    to.vlan = vlan;
    return to;
}

service entry(const model::Service& from, std::uint64_t seed) {
    service to =
        entry(from.key.vip, from.key.port, static_cast<std::uint8_t>(from.key.proto), from.vlan);
    // The same on every node that has the seed, whatever slots it gave.
    to.salt = mix64(mix64(mix64(seed ^ to.key) ^ to.vip_lo) ^ to.vip_hi);
    to.slot = from.slot;
    to.ring_mask = from.buckets - 1;
    to.forward = forward(from.forward);
    return to;
}

Ring ring(const model::Service& service, std::uint64_t seed) {
    std::vector<RingMember> members;
    for (const model::Backend& b : service.backends) {
        members.push_back({b.slot, b.weight, b.address});
    }
    return {service.slot, maglev(members, seed, service.buckets)};
}

} // namespace

Result<Balancer> compile_balancer(const model::Config& config, const model::Limits& limits) {
    const model::Balancer& wanted = config.balancer;
    const std::uint64_t seed = wanted.seed.value_or(Seed{}).number;
    Balancer balancer;
    std::vector<service> entries;
    std::map<IpAddr, std::uint32_t> vips; // and the VLAN of their services
    for (const model::Service& s : wanted.services) {
        entries.push_back(entry(s, seed));
        balancer.any_port += s.key.port == 0;
        if (const auto [vip, fresh] = vips.try_emplace(s.key.vip, s.vlan);
            !fresh && vip->second != s.vlan) {
            vip->second = SERVICE_ANY_VLAN;
        }
        for (const model::Backend& b : s.backends) {
            balancer.backends.emplace_back(b.slot, entry(b, s));
        }
        balancer.rings.push_back(ring(s, seed));
    }
    for (const auto& [vip, vlan] : vips) {
        entries.push_back(entry(vip, 0, 0, vlan));
    }
    WEIR_TRY(balancer.services, service_table(entries, service_places(limits.services)));
    return balancer;
}

} // namespace weir::compile
