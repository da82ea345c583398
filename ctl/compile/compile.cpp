#include <algorithm>
#include <cstring>

#include "compile/images.h"

namespace weir::compile {
namespace {

// The network's address and the mask of the bits behind it, each as the packet has them.
template <typename Words>
void write_source(const Prefix& source, Words& network, Words& host) {
    const auto& octets = source.address().octets();
    const IpAddr last = source.address().family() == Family::kIpv4
                            ? IpAddr::v4(static_cast<std::uint32_t>(source.last().lo))
                            : IpAddr::v6(source.last());
    auto mask = last.octets();
    for (std::size_t i = 0; i < mask.size(); i++) {
        mask[i] ^= octets[i]; // host bits are zero in the one and set in the other
    }
    std::memcpy(&network, octets.data(), sizeof network);
    std::memcpy(&host, mask.data(), sizeof host);
}

generation settings(const model::Config& config, const Images& images) {
    generation g{};
    std::ranges::copy(images.firewall.ingress, g.root[CHAIN_INGRESS]);
    std::ranges::copy(images.firewall.egress, g.root[CHAIN_EGRESS]);
    g.rare_facts = images.firewall.rare_facts;
    std::ranges::copy(images.firewall.ingress_lists, g.list[CHAIN_INGRESS]);
    std::ranges::copy(images.firewall.egress_lists, g.list[CHAIN_EGRESS]);
    std::ranges::copy(images.firewall.records, g.record);
    for (std::size_t c = 0; c < config.class_actions.size(); c++) {
        g.class_action[c] = static_cast<__u8>(config.class_actions[c]);
    }
    const model::Balancer& balancer = config.balancer;
    g.services = static_cast<__u32>(balancer.services.size());
    g.any_port = images.balancer.any_port;
    if (balancer.source) {
        write_source(*balancer.source, g.source4, g.source4_host);
        g.has_source |= HAS_SOURCE4;
    }
    if (balancer.source6) {
        write_source(*balancer.source6, g.source6, g.source6_host);
        g.has_source |= HAS_SOURCE6;
        if (balancer.source6->length() < 128) {
            g.has_source |= SOURCE6_OF_FLOW;
        }
    }
    g.idle = static_cast<__u32>((std::uint64_t{balancer.idle} * 1'000'000'000) >> FLOW_TICK_SHIFT);
    if (balancer.gateway) {
        std::memcpy(g.gateway, balancer.gateway->octets().data(), sizeof g.gateway);
        g.has_gateway = 1;
    }
    return g;
}

} // namespace

Result<Images> compile(const model::Config& config, const model::Limits& limits) {
    Images images;
    WEIR_TRY(images.firewall, compile_firewall(config, limits));
    images.sets = compile_sets(config);
    WEIR_TRY(images.balancer, compile_balancer(config, limits));
    images.settings = settings(config, images);
    return images;
}

} // namespace weir::compile
