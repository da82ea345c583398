#include <yaml-cpp/emitter.h>
#include <yaml-cpp/emittermanip.h>

#include "text/config_text.h"

// What differs from an empty configuration, in the order of the reference.
namespace weir::text {
namespace {

std::string word(std::string_view text) {
    return std::string(text);
}

bool says_nothing(const model::Chain& chain) {
    return chain.policy == model::Verdict::kAccept && chain.rules.empty();
}

void emit_chain(YAML::Emitter& out, model::ChainName name, const model::Chain& chain) {
    if (says_nothing(chain)) {
        return;
    }
    out << YAML::Key << word(model::name(name)) << YAML::Value << YAML::BeginMap;
    if (chain.policy == model::Verdict::kDrop) {
        out << YAML::Key << "policy" << YAML::Value << "drop";
    }
    if (!chain.rules.empty()) {
        out << YAML::Key << "rules" << YAML::Value << YAML::BeginSeq;
        for (const model::Rule& rule : chain.rules) {
            out << print(rule);
        }
        out << YAML::EndSeq;
    }
    out << YAML::EndMap;
}

void emit_packets(YAML::Emitter& out, const model::Config& config) {
    const auto defaults = model::default_class_actions();
    if (config.class_actions == defaults) {
        return;
    }
    out << YAML::Key << "packets" << YAML::Value << YAML::BeginMap;
    for (std::size_t i = 0; i < defaults.size(); i++) {
        if (config.class_actions[i] != defaults[i]) {
            out << YAML::Key << word(model::name(static_cast<packet_class>(i))) << YAML::Value
                << word(model::name(config.class_actions[i]));
        }
    }
    out << YAML::EndMap;
}

void emit_firewall(YAML::Emitter& out, const model::Config& config) {
    if (says_nothing(config.ingress) && says_nothing(config.egress) &&
        config.class_actions == model::default_class_actions()) {
        return;
    }
    out << YAML::Key << "firewall" << YAML::Value << YAML::BeginMap;
    emit_chain(out, model::ChainName::kIngress, config.ingress);
    emit_chain(out, model::ChainName::kEgress, config.egress);
    emit_packets(out, config);
    out << YAML::EndMap;
}

void emit_set(YAML::Emitter& out, const model::Set& set) {
    out << YAML::BeginMap;
    out << YAML::Key << "type" << YAML::Value << word(model::name(set.type));
    if (!set.comment.empty()) {
        out << YAML::Key << "comment" << YAML::Value << set.comment;
    }
    if (!set.elements.empty()) {
        out << YAML::Key << "elements" << YAML::Value << YAML::BeginSeq;
        for (const model::Interval& element : set.elements) {
            out << print_element(set.type, element);
        }
        out << YAML::EndSeq;
    }
    out << YAML::EndMap;
}

void emit_sets(YAML::Emitter& out, const model::Config& config) {
    if (config.sets.empty()) {
        return;
    }
    out << YAML::Key << "sets" << YAML::Value << YAML::BeginMap;
    for (const auto& [name, set] : config.sets) {
        out << YAML::Key << name << YAML::Value;
        emit_set(out, set);
    }
    out << YAML::EndMap;
}

void emit_backend(YAML::Emitter& out, const model::Backend& backend) {
    if (backend.weight == 1) {
        out << backend.address.to_string();
        return;
    }
    out << YAML::Flow << YAML::BeginMap;
    out << YAML::Key << "address" << YAML::Value << backend.address.to_string();
    out << YAML::Key << "weight" << YAML::Value << backend.weight;
    out << YAML::EndMap;
}

void emit_service(YAML::Emitter& out, const model::Service& service) {
    out << YAML::BeginMap;
    out << YAML::Key << "vip" << YAML::Value << service.key.to_string();
    if (service.forward != model::Forward::kIpip) {
        out << YAML::Key << "forward" << YAML::Value << word(model::name(service.forward));
    }
    if (service.vlan != 0) {
        out << YAML::Key << "vlan" << YAML::Value << service.vlan;
    }
    if (!service.backends.empty()) {
        out << YAML::Key << "backends" << YAML::Value << YAML::BeginSeq;
        for (const model::Backend& backend : service.backends) {
            emit_backend(out, backend);
        }
        out << YAML::EndSeq;
    }
    out << YAML::EndMap;
}

void emit_balancer(YAML::Emitter& out, const model::Balancer& balancer) {
    const bool own_idle = balancer.idle != model::kIdleDefault;
    if (!balancer.source && !balancer.source6 && !balancer.gateway && !balancer.seed && !own_idle &&
        balancer.services.empty()) {
        return;
    }
    out << YAML::Key << "lb" << YAML::Value << YAML::BeginMap;
    if (balancer.source) {
        out << YAML::Key << "source" << YAML::Value << balancer.source->to_string();
    }
    if (balancer.source6) {
        out << YAML::Key << "source6" << YAML::Value << balancer.source6->to_string();
    }
    if (balancer.gateway) {
        out << YAML::Key << "gateway" << YAML::Value << balancer.gateway->to_string();
    }
    if (balancer.seed) {
        out << YAML::Key << "seed" << YAML::Value << YAML::DoubleQuoted
            << balancer.seed->to_string();
    }
    if (own_idle) {
        out << YAML::Key << "idle" << YAML::Value << balancer.idle;
    }
    if (!balancer.services.empty()) {
        out << YAML::Key << "services" << YAML::Value << YAML::BeginSeq;
        for (const model::Service& service : balancer.services) {
            emit_service(out, service);
        }
        out << YAML::EndSeq;
    }
    out << YAML::EndMap;
}

} // namespace

std::string print_config(const model::Config& config) {
    YAML::Emitter out;
    out << YAML::BeginMap;
    emit_firewall(out, config);
    emit_sets(out, config);
    emit_balancer(out, config.balancer);
    out << YAML::EndMap;
    return std::string(out.c_str(), out.size()) + "\n";
}

} // namespace weir::text
