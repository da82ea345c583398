#include "bench/control.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <set>

#include "bench/packet/rule_generator.h"
#include "maps/firewall.h"

namespace weir::bench {
namespace {

constexpr std::uint64_t kControlSeed = 11;

std::string empty_configuration() {
    return "{}";
}

std::string rules_yaml(std::size_t count) {
    std::string text = "firewall:\n  ingress:\n    rules:\n";
    for (const GeneratedRule& rule : realistic_rules(Family::kIpv4, count, kControlSeed)) {
        text += "      - \"" + rule.text + "\"\n";
    }
    return text;
}

model::Limits rule_limits(std::size_t rules) {
    model::Limits limits;
    // Rules of kept generations keep their counters.
    limits.rules = std::max(limits.rules, static_cast<std::uint32_t>(GENERATION_SLOTS * rules));
    limits.nodes = FW_NODES_LIMIT;
    return limits;
}

ControlCase apply_rules(std::size_t count) {
    return {.name = fmt::format("apply-{}-rules", count),
            .what = fmt::format("{} realistic rules applied where there were none", count),
            .limits = rule_limits(count),
            .before = empty_configuration,
            .after = [=] { return rules_yaml(count); }};
}

// A hundred services of a hundred backends; every weight is another one afterwards.
std::string backends_yaml(int weight) {
    std::string text = "lb:\n  source: 10.99.0.0/16\n  services:\n";
    for (int service = 0; service < 100; service++) {
        text += fmt::format("    - vip: 203.0.113.{}:80/tcp\n      backends: [", service);
        for (int backend = 0; backend < 100; backend++) {
            text += fmt::format("{}{{address: 10.1.{}.{}, weight: {}}}", backend == 0 ? "" : ", ",
                                service, backend, weight + backend % 3);
        }
        text += "]\n";
    }
    return text;
}

std::string set_yaml(std::size_t elements) {
    std::string text = "sets: {big: {type: ipv4_addr, elements: [";
    for (std::size_t i = 0; i < elements; i++) {
        const IpAddr address = IpAddr::v4(static_cast<std::uint32_t>(0x0a000000 + 2 * i));
        text += (i == 0 ? "" : ",") + address.to_string();
    }
    return text + "]}}\n";
}

} // namespace

std::vector<ControlCase> control_cases() {
    constexpr std::size_t kMillion = 1'000'000;
    std::vector<ControlCase> cases = {apply_rules(1000), apply_rules(10000), apply_rules(100000)};
    cases.push_back({.name = "add-a-rule-to-10000",
                     .what = "one rule more, behind 10000",
                     .limits = rule_limits(10000),
                     .before = [] { return rules_yaml(10000); },
                     .rule = "tcp dport 7 drop"});
    model::Limits balancer;
    balancer.backends = 32768; // the old ones and the new ones of a generation
    cases.push_back({.name = "change-10000-backends",
                     .what = "the weights of 10000 backends of 100 services, all at once",
                     .limits = balancer,
                     .before = [] { return backends_yaml(1); },
                     .after = [] { return backends_yaml(2); }});
    model::Limits sets;
    sets.set_elements = kMillion;
    cases.push_back({.name = "load-1000000-elements",
                     .what = "a set of a million addresses, loaded where there was none",
                     .limits = sets,
                     .before = empty_configuration,
                     .after = [] { return set_yaml(kMillion); }});
    return cases;
}

// Text, nodes and fresh memory, as a configuration has them.
void floor_work() {
    constexpr std::uint32_t kAddresses = 200'000;
    std::mt19937 random(kControlSeed);
    std::set<std::string> addresses;
    for (std::uint32_t i = 0; i < kAddresses; i++) {
        addresses.insert(IpAddr::v4(static_cast<std::uint32_t>(random())).to_string());
    }
}

MixPair mix_pair() {
    // Rule `==` with the set of the second, or rule `!=` with the set of the first: drop.
    constexpr const char* kYaml = "firewall: {{ingress: {{policy: drop, rules: [ip saddr {}@client "
                                  "accept]}}}}\n"
                                  "sets: {{client: {{type: ipv4_addr, elements: [{}]}}}}\n";
    return {.first = fmt::format(kYaml, "", "192.0.2.1"),
            .second = fmt::format(kYaml, "!= ", "198.51.100.1"),
            .packet = "ip saddr 192.0.2.1 ip daddr 203.0.113.10 tcp dport 80"};
}

Json to_json(const ControlReport& report) {
    Json cases = Json::array();
    for (const ControlResult& each : report.cases) {
        Json json{{"name", each.name}, {"what", each.what}};
        if (each.milliseconds) {
            json["ms"] = to_json(*each.milliseconds);
            json["floor_ms"] = to_json(each.floor);
        } else {
            json["refused"] = each.refused;
        }
        cases.push_back(std::move(json));
    }
    Json document = begin_document("control", report.origin, Json::object());
    document["cases"] = std::move(cases);
    document["under_traffic"] = {{"generations", report.mix.generations},
                                 {"packets", report.mix.packets},
                                 {"mixed", report.mix.mixed}};
    return document;
}

} // namespace weir::bench
