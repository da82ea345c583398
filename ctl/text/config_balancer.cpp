#include "text/config_balancer.h"

#include <charconv>
#include <map>

namespace weir::text {
namespace {

class BalancerReader {
public:
    BalancerReader(const Tree& tree, std::vector<Warning>& warnings)
        : tree_(tree), warnings_(warnings) {}

    Parsed<model::Balancer> read(const Node& node);

private:
    // A backend and the word that is its address.
    struct Placed {
        model::Backend backend;
        const Node* place;
    };

    Parsed<void> services(const Node& node);
    Parsed<void> service(const Node& node);
    Parsed<model::ServiceKey> service_key(const Node& node);
    Parsed<void> backends(const Node& node, model::Service& service);
    Parsed<Placed> backend(const Node& node);
    Parsed<Prefix> source(const Node& node, Family family);

    const Tree& tree_;
    std::vector<Warning>& warnings_;
    model::Balancer balancer_;
    std::map<model::ServiceKey, int> lines_; // where each service stands
};

Parsed<std::uint32_t> read_weight(const Node& node) {
    WEIR_PARSE(const std::string text, read_scalar(node, "a weight"));
    std::uint32_t weight = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), weight);
    if (error != std::errc{} || end != text.data() + text.size() || weight > model::kWeightMax) {
        return refuse(node,
                      "weight '" + text + "': expected 0 to " + std::to_string(model::kWeightMax));
    }
    return weight;
}

Parsed<IpAddr> read_address(const Node& node) {
    WEIR_PARSE(const std::string text, read_scalar(node, "the address of a backend"));
    const auto address = IpAddr::parse(text);
    if (!address) {
        return refuse(node, address.error().message());
    }
    return *address;
}

Parsed<MacAddr> read_gateway(const Node& node) {
    WEIR_PARSE(const std::string text, read_scalar(node, "an Ethernet address"));
    const auto mac = MacAddr::parse(text);
    if (!mac) {
        return refuse(node, mac.error().message());
    }
    return *mac;
}

Parsed<Seed> read_seed(const Node& node) {
    WEIR_PARSE(const std::string text, read_scalar(node, "a seed"));
    const auto seed = Seed::parse(text);
    if (!seed) {
        return refuse(node, seed.error().message());
    }
    return *seed;
}

Parsed<std::uint32_t> read_number(const Node& node, const char* key, const char* of,
                                  std::uint32_t most) {
    WEIR_PARSE(const std::string text, read_scalar(node, "a number"));
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size() || number == 0 || number > most) {
        return refuse(node, std::string(key) + " '" + text + "': expected " + of + " from 1 to " +
                                std::to_string(most));
    }
    return number;
}

Parsed<BalancerReader::Placed> BalancerReader::backend(const Node& node) {
    Placed placed{{}, nullptr};
    const auto address = [&](const Node& value) -> Parsed<void> {
        WEIR_PARSE(placed.backend.address, read_address(value));
        placed.place = &value;
        return {};
    };
    const auto weight = [&](const Node& value) -> Parsed<void> {
        WEIR_PARSE(placed.backend.weight, read_weight(value));
        return {};
    };
    if (node.kind != Node::Kind::kMap) {
        WEIR_PARSE_CHECK(address(node));
        return placed;
    }
    WEIR_PARSE_CHECK(read_map(tree_, node, "backend", {{"address", address}, {"weight", weight}}));
    if (placed.place == nullptr) {
        return refuse(node, "the backend has no address: expected {address: 10.0.2.3, weight: 3}");
    }
    return placed;
}

Parsed<void> BalancerReader::backends(const Node& node, model::Service& service) {
    std::vector<const Node*> places;
    WEIR_PARSE_CHECK(read_list(tree_, node, "backends", [&](const Node& item) -> Parsed<void> {
        WEIR_PARSE(const Placed placed, backend(item));
        service.backends.push_back(placed.backend);
        places.push_back(placed.place);
        return {};
    }));
    if (const auto fault = model::contradiction(service)) {
        return refuse(*places[fault->index],
                      "service " + service.key.to_string() + ": " + fault->message);
    }
    return {};
}

Parsed<model::ServiceKey> BalancerReader::service_key(const Node& node) {
    WEIR_PARSE(const std::string text, read_scalar(node, "a VIP such as 203.0.113.10:80/tcp"));
    const auto key = model::ServiceKey::parse(text);
    if (!key) {
        return refuse(node, key.error().message());
    }
    const auto [first, added] = lines_.emplace(*key, node.place.line);
    if (!added) {
        return refuse(node, "service " + key->to_string() + " is given twice: first in line " +
                                std::to_string(first->second));
    }
    return *key;
}

Parsed<void> BalancerReader::service(const Node& node) {
    model::Service service;
    const Node* vip = nullptr;
    const Node* backend_list = nullptr;
    const auto forward = [&](const Node& value) -> Parsed<void> {
        WEIR_PARSE(const std::size_t mode,
                   read_choice(value, "forward mode",
                               {name(model::Forward::kIpip), name(model::Forward::kL2Dsr)}));
        service.forward = mode == 0 ? model::Forward::kIpip : model::Forward::kL2Dsr;
        return {};
    };
    const auto vlan = [&](const Node& value) -> Parsed<void> {
        WEIR_PARSE(const auto id, read_number(value, "vlan", "a VLAN identifier", model::kVlanMax));
        service.vlan = static_cast<std::uint16_t>(id);
        return {};
    };
    const auto keep = [](const Node*& to) {
        return [&to](const Node& value) -> Parsed<void> {
            to = &value;
            return {};
        };
    };
    WEIR_PARSE_CHECK(read_map(tree_, node, "service",
                              {{"vip", keep(vip)},
                               {"forward", forward},
                               {"vlan", vlan},
                               {"backends", keep(backend_list)}}));
    if (vip == nullptr) {
        return refuse(node, "the service has no vip: expected vip: 203.0.113.10:80/tcp");
    }
    WEIR_PARSE(service.key, service_key(*vip));
    if (backend_list != nullptr) {
        WEIR_PARSE_CHECK(backends(*backend_list, service));
    }
    balancer_.services.push_back(std::move(service));
    return {};
}

Parsed<void> BalancerReader::services(const Node& node) {
    return read_list(tree_, node, "services", [&](const Node& item) { return service(item); });
}

Parsed<Prefix> BalancerReader::source(const Node& node, Family family) {
    const std::string expected =
        family == Family::kIpv4 ? "an IPv4 address or prefix" : "an IPv6 address or prefix";
    WEIR_PARSE(const std::string text, read_scalar(node, expected));
    bool masked = false;
    const auto prefix = Prefix::parse(text, &masked);
    if (!prefix) {
        return refuse(node, prefix.error().message());
    }
    if (prefix->address().family() != family) {
        return refuse(node, "'" + text + "': expected " + expected +
                                "; the other family's key is " +
                                (family == Family::kIpv4 ? "source6" : "source"));
    }
    if (masked) {
        warnings_.push_back(
            {node.place, text + " has host bits set: taken as " + prefix->to_string()});
    }
    return *prefix;
}

Parsed<model::Balancer> BalancerReader::read(const Node& node) {
    if (node.kind == Node::Kind::kList) {
        WEIR_PARSE_CHECK(services(node));
        return std::move(balancer_);
    }
    const auto source4 = [&](const Node& value) -> Parsed<void> {
        WEIR_PARSE(balancer_.source, source(value, Family::kIpv4));
        return {};
    };
    const auto source6 = [&](const Node& value) -> Parsed<void> {
        WEIR_PARSE(balancer_.source6, source(value, Family::kIpv6));
        return {};
    };
    const auto gateway = [&](const Node& value) -> Parsed<void> {
        WEIR_PARSE(balancer_.gateway, read_gateway(value));
        return {};
    };
    const auto seed = [&](const Node& value) -> Parsed<void> {
        WEIR_PARSE(balancer_.seed, read_seed(value));
        return {};
    };
    const auto idle = [&](const Node& value) -> Parsed<void> {
        WEIR_PARSE(balancer_.idle, read_number(value, "idle", "seconds", model::kIdleMax));
        return {};
    };
    WEIR_PARSE_CHECK(read_map(tree_, node, "lb",
                              {{"source", source4},
                               {"source6", source6},
                               {"gateway", gateway},
                               {"seed", seed},
                               {"idle", idle},
                               {"services", [&](const Node& value) { return services(value); }}}));
    return std::move(balancer_);
}

} // namespace

Parsed<model::Balancer> read_balancer(const Tree& tree, const Node& node,
                                      std::vector<Warning>& warnings) {
    return BalancerReader(tree, warnings).read(node);
}

} // namespace weir::text
