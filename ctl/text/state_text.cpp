// The configuration as it is kept beside its compiled form: JSON, rules in the rule language.
#include <limits>
#include <nlohmann/json.hpp>

#include "maps/balancer.h"
#include "text/config_text.h"

namespace weir::text {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kFormat = 1;

Json save_chain(const model::Chain& chain) {
    Json rules = Json::array();
    for (const model::Rule& rule : chain.rules) {
        rules.push_back({{"rule", print(rule)}, {"handle", rule.handle}, {"slot", rule.slot}});
    }
    return {{"policy", chain.policy == model::Verdict::kAccept ? "accept" : "drop"},
            {"rules", std::move(rules)}};
}

Json save_packets(const model::Config& config) {
    Json packets = Json::object();
    for (std::size_t i = 0; i < config.class_actions.size(); i++) {
        packets[std::string(model::name(static_cast<packet_class>(i)))] =
            model::name(config.class_actions[i]);
    }
    return packets;
}

Json save_sets(const model::Config& config) {
    Json sets = Json::array();
    for (const auto& [name, set] : config.sets) {
        Json elements = Json::array();
        for (const model::Interval& element : set.elements) {
            elements.push_back(print_element(set.type, element));
        }
        sets.push_back({{"name", set.name},
                        {"type", model::name(set.type)},
                        {"comment", set.comment},
                        {"elements", std::move(elements)}});
    }
    return sets;
}

Json save_service(const model::Service& service) {
    Json backends = Json::array();
    for (const model::Backend& backend : service.backends) {
        backends.push_back({{"address", backend.address.to_string()},
                            {"weight", backend.weight},
                            {"handle", backend.handle},
                            {"slot", backend.slot}});
    }
    return {{"vip", service.key.to_string()},
            {"forward", model::name(service.forward)},
            {"vlan", service.vlan},
            {"handle", service.handle},
            {"slot", service.slot},
            {"buckets", service.buckets},
            {"backends", std::move(backends)}};
}

Json save_balancer(const model::Balancer& balancer) {
    const auto text = [](const auto& setting) {
        return setting ? Json(setting->to_string()) : Json(nullptr);
    };
    Json services = Json::array();
    for (const model::Service& service : balancer.services) {
        services.push_back(save_service(service));
    }
    return {{"source", text(balancer.source)},
            {"source6", text(balancer.source6)},
            {"gateway", text(balancer.gateway)},
            {"seed", text(balancer.seed)},
            {"idle", balancer.idle},
            {"services", std::move(services)}};
}

// nlohmann's own accessors throw where the document has another shape; parse_document() converts
// that. A number is checked here, because `get` would cut it.
Result<std::uint32_t> number(const Json& from, const char* key, std::uint32_t maximum) {
    const Json& value = from.at(key);
    if (!value.is_number_unsigned() || value.get<std::uint64_t>() > maximum) {
        return fail(std::string(key) + ": expected a number from 0 to " + std::to_string(maximum));
    }
    return value.get<std::uint32_t>();
}

const std::string& string(const Json& from, const char* key) {
    return from.at(key).get_ref<const std::string&>();
}

template <typename Thing>
Result<> load_identity(const Json& from, Thing& thing) {
    constexpr std::uint32_t kMaximum = std::numeric_limits<std::uint32_t>::max();
    WEIR_TRY(thing.handle, number(from, "handle", kMaximum));
    WEIR_TRY(thing.slot, number(from, "slot", kMaximum));
    return {};
}

// A word of a fixed choice, by the names that the model gives its values.
template <typename Value>
Result<Value> choose(const std::string& word, std::initializer_list<Value> values) {
    for (const Value value : values) {
        if (model::name(value) == word) {
            return value;
        }
    }
    return fail("unknown word '" + word + "'");
}

Result<model::Verdict> load_policy(const std::string& word) {
    if (word != "accept" && word != "drop") {
        return fail("unknown policy '" + word + "'");
    }
    return word == "accept" ? model::Verdict::kAccept : model::Verdict::kDrop;
}

Result<model::Chain> load_chain(const Json& from) {
    model::Chain chain;
    WEIR_TRY(chain.policy, load_policy(string(from, "policy")));
    std::vector<Warning> warnings; // canonical text gives none
    for (const Json& item : from.at("rules")) {
        auto rule = parse_rule(string(item, "rule"), warnings);
        if (!rule) {
            return fail(to_error(rule.error(), "").while_("rule `" + string(item, "rule") + "`"));
        }
        WEIR_CHECK(load_identity(item, *rule));
        chain.rules.push_back(*std::move(rule));
    }
    return chain;
}

Result<model::Set> load_set(const Json& from) {
    model::Set set;
    set.name = string(from, "name");
    set.comment = string(from, "comment");
    WEIR_TRY(set.type,
             choose(string(from, "type"), {model::SetType::kIpv4Addr, model::SetType::kIpv6Addr,
                                           model::SetType::kInetService}));
    std::vector<model::Interval> elements;
    std::vector<Warning> warnings;
    for (const Json& item : from.at("elements")) {
        auto element = parse_element(set.type, item.get_ref<const std::string&>(), warnings);
        if (!element) {
            return fail(to_error(element.error(), "").while_("set '" + set.name + "'"));
        }
        elements.push_back(*element);
    }
    set.elements = model::merged(std::move(elements));
    return set;
}

Result<model::Service> load_service(const Json& from) {
    model::Service service;
    WEIR_TRY(service.key, model::ServiceKey::parse(string(from, "vip")));
    WEIR_TRY(service.forward,
             choose(string(from, "forward"), {model::Forward::kIpip, model::Forward::kL2Dsr}));
    WEIR_TRY(const auto vlan, number(from, "vlan", model::kVlanMax));
    service.vlan = static_cast<std::uint16_t>(vlan);
    WEIR_CHECK(load_identity(from, service));
    WEIR_TRY(service.buckets, number(from, "buckets", RING_BUCKETS_MAX));
    for (const Json& item : from.at("backends")) {
        model::Backend backend;
        WEIR_TRY(backend.address, IpAddr::parse(string(item, "address")));
        WEIR_TRY(backend.weight, number(item, "weight", model::kWeightMax));
        WEIR_CHECK(load_identity(item, backend));
        service.backends.push_back(backend);
    }
    return service;
}

// A setting that may be null.
template <typename Value>
Result<std::optional<Value>> load_setting(const Json& from, const char* key,
                                          Result<Value> (*parse)(std::string_view)) {
    if (from.at(key).is_null()) {
        return std::optional<Value>();
    }
    WEIR_TRY(Value value, parse(string(from, key)));
    return std::optional<Value>(std::move(value));
}

Result<model::Balancer> load_balancer(const Json& from) {
    const auto prefix = [](std::string_view text) { return Prefix::parse(text); };
    model::Balancer balancer;
    WEIR_TRY(balancer.source, load_setting<Prefix>(from, "source", prefix));
    WEIR_TRY(balancer.source6, load_setting<Prefix>(from, "source6", prefix));
    WEIR_TRY(balancer.gateway, load_setting<MacAddr>(from, "gateway", MacAddr::parse));
    WEIR_TRY(balancer.seed, load_setting<Seed>(from, "seed", Seed::parse));
    WEIR_TRY(balancer.idle, number(from, "idle", model::kIdleMax));
    for (const Json& item : from.at("services")) {
        WEIR_TRY(model::Service service, load_service(item));
        balancer.services.push_back(std::move(service));
    }
    return balancer;
}

Result<SavedState> load_document(const Json& from) {
    WEIR_TRY(const std::uint32_t format, number(from, "schema", 0xffff));
    if (format != kFormat) {
        return fail("it has format " + std::to_string(format) + ", this weir reads format " +
                    std::to_string(kFormat));
    }
    SavedState state;
    WEIR_TRY(state.ids.next_handle,
             number(from, "next_handle", std::numeric_limits<model::Handle>::max()));
    WEIR_TRY(state.config.ingress, load_chain(from.at("ingress")));
    WEIR_TRY(state.config.egress, load_chain(from.at("egress")));
    for (std::size_t i = 0; i < state.config.class_actions.size(); i++) {
        const std::string name(model::name(static_cast<packet_class>(i)));
        WEIR_TRY(state.config.class_actions[i],
                 choose(string(from.at("packets"), name.c_str()),
                        {ACTION_FILTER, ACTION_ACCEPT, ACTION_DROP}));
    }
    for (const Json& item : from.at("sets")) {
        WEIR_TRY(model::Set set, load_set(item));
        state.config.sets.emplace(set.name, std::move(set));
    }
    WEIR_TRY(state.config.balancer, load_balancer(from.at("lb")));
    return state;
}

Result<SavedState> parse_document(std::string_view json) {
    try {
        return load_document(Json::parse(json));
    } catch (const Json::exception& error) {
        return fail(std::string(error.what()));
    }
}

} // namespace

std::string save_state(const SavedState& state) {
    const model::Config& config = state.config;
    const Json document = {{"schema", kFormat},
                           {"next_handle", state.ids.next_handle},
                           {"ingress", save_chain(config.ingress)},
                           {"egress", save_chain(config.egress)},
                           {"packets", save_packets(config)},
                           {"sets", save_sets(config)},
                           {"lb", save_balancer(config.balancer)}};
    // model::check() refuses comments that are not UTF-8; without it they are not worth a throw.
    return document.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<SavedState> load_state(std::string_view json) {
    auto state = parse_document(json);
    if (!state) {
        return fail(std::move(state).error().while_(
            "the saved configuration cannot be read (`weir rollback`, or `weir unload`, then load "
            "and apply again)"));
    }
    return state;
}

} // namespace weir::text
