#include "verbs/lb_words.h"

#include <algorithm>
#include <fmt/format.h>

namespace weir::verbs {

Result<model::ServiceKey> parse_service(const Words& words) {
    WEIR_TRY(const auto word, operand(words, 0, "SERVICE (VIP:PORT/PROTO)"));
    auto key = model::ServiceKey::parse(word);
    if (!key) {
        return usage(key.error().message());
    }
    return key;
}

Result<std::uint32_t> parse_weight(const std::string& word) {
    WEIR_TRY(const auto weight, parse_number(word, "weight", 0, model::kWeightMax));
    return static_cast<std::uint32_t>(weight);
}

Result<model::Service*> find_service(model::Config& config, const model::ServiceKey& key) {
    Words same_vip;
    for (model::Service& service : config.balancer.services) {
        if (service.key == key) {
            return &service;
        }
        if (service.key.vip == key.vip) {
            same_vip.push_back(service.key.to_string());
        }
    }
    return fail(fmt::format("no service {}: {}", key.to_string(),
                            same_vip.empty() ? "`weir lb service add` makes one"
                                             : "this VIP has " + join(same_vip, ", ")));
}

Result<model::Backend*> find_backend(model::Service& service, const IpAddr& address) {
    const auto found =
        std::find_if(service.backends.begin(), service.backends.end(),
                     [&](const model::Backend& backend) { return backend.address == address; });
    if (found == service.backends.end()) {
        return fail(fmt::format("service {} has no backend {}", service.key.to_string(),
                                address.to_string()));
    }
    return &*found;
}

output::Json ring_json(const kernel::RingStatus& ring) {
    return {{"buckets", ring.buckets},
            {"at_rest", ring.at_rest()},
            {"hot", ring.hot},
            {"warm", ring.warm},
            {"entries", ring.entries()},
            {"overflow", ring.overflow}};
}

std::uint64_t flow_seconds(std::uint32_t ticks) {
    return (std::uint64_t{ticks} << FLOW_TICK_SHIFT) / 1'000'000'000;
}

} // namespace weir::verbs
