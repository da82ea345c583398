#include "verbs/listing.h"

#include <fmt/format.h>

#include "text/rule_text.h"

namespace weir::verbs {
namespace {

using output::Json;

// Where the statements of a printed rule begin: its `counter`, which stands outside of quotes and
// is a whole word. The rule has one.
std::size_t find_counter(const std::string& text) {
    bool quoted = false;
    for (std::size_t i = 0; i < text.size(); i++) {
        quoted ^= text[i] == '"';
        const bool starts_word = i == 0 || text[i - 1] == ' ';
        if (!quoted && starts_word && text.compare(i, 7, "counter") == 0 &&
            (i + 7 == text.size() || text[i + 7] == ' ')) {
            return i;
        }
    }
    return std::string::npos;
}

Json elements_json(const model::Set& set) {
    Json list = Json::array();
    for (const model::Interval& element : set.elements) {
        list.push_back(text::print_element(set.type, element));
    }
    return list;
}

Json chain_json(const model::Chain& chain) {
    Json rules = Json::array();
    for (const model::Rule& rule : chain.rules) {
        rules.push_back(rule_json(rule, std::nullopt));
    }
    return {{"policy", verdict_word(chain.policy)}, {"rules", rules}};
}

} // namespace

std::string_view verdict_word(model::Verdict verdict) {
    return verdict == model::Verdict::kAccept ? "accept" : "drop";
}

std::string rule_line(const model::Rule& rule, const std::optional<rule_count>& hits) {
    if (!hits) {
        return text::print(rule);
    }
    // Every rule counts, whether it was written with `counter` or not.
    model::Rule counting = rule;
    counting.counter = true;
    std::string line = text::print(counting);
    const std::size_t at = find_counter(line);
    return at == std::string::npos
               ? line
               : line.replace(
                     at, 7, fmt::format("counter packets {} bytes {}", hits->packets, hits->bytes));
}

Json rule_json(const model::Rule& rule, const std::optional<rule_count>& hits) {
    Json json{{"handle", rule.handle}, {"rule", text::print(rule)}};
    if (rule.verdict) {
        json["verdict"] = verdict_word(*rule.verdict);
    }
    if (!rule.comment.empty()) {
        json["comment"] = rule.comment;
    }
    if (hits) {
        json["packets"] = hits->packets;
        json["bytes"] = hits->bytes;
    }
    return json;
}

std::string set_block(const model::Set& set) {
    std::string block = fmt::format("set {} {{\n\ttype {}\n", set.name, model::name(set.type));
    if (!set.comment.empty()) {
        block += fmt::format("\tcomment \"{}\"\n", set.comment);
    }
    for (std::size_t i = 0; i < set.elements.size(); i++) {
        // Two a line, as nft breaks them.
        block += i == 0 ? "\telements = { " : i % 2 == 0 ? ",\n\t\t     " : ", ";
        block += text::print_element(set.type, set.elements[i]);
    }
    return block + (set.elements.empty() ? "}\n" : " }\n}\n");
}

Json set_json(const model::Set& set) {
    Json json{{"name", set.name}, {"type", model::name(set.type)}};
    if (!set.comment.empty()) {
        json["comment"] = set.comment;
    }
    json["elements"] = elements_json(set);
    return json;
}

Json service_json(const model::Service& service) {
    Json backends = Json::array();
    for (const model::Backend& backend : service.backends) {
        backends.push_back({{"address", backend.address.to_string()},
                            {"weight", backend.weight},
                            {"handle", backend.handle}});
    }
    return {{"service", service.key.to_string()},
            {"vip", service.key.vip.to_string()},
            {"port", service.key.port},
            {"protocol", model::name(service.key.proto)},
            {"forward", model::name(service.forward)},
            {"vlan", service.vlan},
            {"handle", service.handle},
            {"backends", backends}};
}

Json balancer_json(const model::Balancer& balancer) {
    Json json = Json::object();
    json["source"] = balancer.source ? Json(balancer.source->to_string()) : Json();
    json["source6"] = balancer.source6 ? Json(balancer.source6->to_string()) : Json();
    json["gateway"] = balancer.gateway ? Json(balancer.gateway->to_string()) : Json();
    json["seed"] = balancer.seed ? Json(balancer.seed->to_string()) : Json();
    json["idle"] = balancer.idle;
    return json;
}

Json config_json(const model::Config& config) {
    Json packets = Json::object();
    for (int c = 0; c < CLASS_COUNT; c++) {
        packets[std::string(model::name(static_cast<packet_class>(c)))] =
            model::name(config.class_actions[static_cast<std::size_t>(c)]);
    }
    Json sets = Json::array();
    for (const auto& [name, set] : config.sets) {
        sets.push_back(set_json(set));
    }
    Json lb = balancer_json(config.balancer);
    lb["services"] = Json::array();
    for (const model::Service& service : config.balancer.services) {
        lb["services"].push_back(service_json(service));
    }
    return {{"firewall",
             {{"ingress", chain_json(config.ingress)},
              {"egress", chain_json(config.egress)},
              {"packets", packets}}},
            {"sets", sets},
            {"lb", lb}};
}

} // namespace weir::verbs
