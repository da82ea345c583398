#include <algorithm>
#include <set>

#include "maps/firewall.h"
#include "model/config.h"

namespace weir::model {
namespace {

std::optional<SetType> set_type(ValueType type) {
    switch (type) {
    case ValueType::kIpv4:
        return SetType::kIpv4Addr;
    case ValueType::kIpv6:
        return SetType::kIpv6Addr;
    case ValueType::kPort:
        return SetType::kInetService;
    default:
        return std::nullopt;
    }
}

// Why the set that `match` names cannot be looked up; "" if it can.
std::string set_fault(const Match& match, const std::map<std::string, Set>& sets) {
    const FieldInfo& field = info(match.field);
    const std::string keyword(field.keyword);
    const std::optional<SetType> needed = set_type(field.type);
    if (!needed || field.set_fact < 0) {
        return "'@" + match.set + "': `" + keyword + "` cannot be compared with a named set";
    }
    const std::string type(name(*needed));
    const auto set = sets.find(match.set);
    if (set == sets.end()) {
        return "'@" + match.set + "': there is no such set; make it with `weir set create " +
               match.set + " " + type + "`, or name it under `sets:`";
    }
    if (set->second.type != *needed) {
        return "'@" + match.set + "' is a set of " + std::string(name(set->second.type)) + ": `" +
               keyword + "` needs " + type;
    }
    return "";
}

std::string_view other_interface_field(ChainName chain, Field field) {
    if (chain == ChainName::kEgress && field == Field::kIifname) {
        return info(Field::kOifname).keyword;
    }
    if (chain == ChainName::kIngress && field == Field::kOifname) {
        return info(Field::kIifname).keyword;
    }
    return "";
}

std::string family_name(Family family) {
    return family == Family::kIpv4 ? "IPv4" : "IPv6";
}

Result<> check_chain(const Config& config, ChainName chain) {
    std::size_t number = 0;
    for (const Rule& rule : config.chain(chain).rules) {
        number++;
        if (const auto fault = contradiction(rule, chain, config.sets)) {
            return fail(std::string(name(chain)) + " rule " + std::to_string(number) + ": " +
                        fault->message);
        }
    }
    return {};
}

// "1025 services: the limit is 1024; …", with the option that raises it.
Result<> check_count(std::uint64_t count, std::uint64_t limit, const std::string& what,
                     const std::string& option) {
    if (count <= limit) {
        return {};
    }
    return fail(std::to_string(count) + " " + what + ": the limit is " + std::to_string(limit) +
                "; to raise it: `weir unload`, then `weir load " + option + " " +
                std::to_string(count) + "`");
}

// Entries that the look-up table of a family needs: a prefix that stands in several sets is one.
Result<> check_elements(const Config& config, SetType type, const Limits& limits) {
    const Family family = type == SetType::kIpv4Addr ? Family::kIpv4 : Family::kIpv6;
    const std::string what =
        std::string(family == Family::kIpv4 ? "IPv4" : "IPv6") + " prefixes in all sets";
    std::vector<Prefix> prefixes;
    for (const auto& [set_name, set] : config.sets) {
        if (set.type != type) {
            continue;
        }
        // The prefixes of one set differ: what exceeds the limit alone need not be kept.
        std::uint64_t count = 0;
        for (const Interval& element : set.elements) {
            for (const Prefix& prefix : prefixes_of(family, element)) {
                if (count++ < limits.set_elements) {
                    prefixes.push_back(prefix);
                }
            }
        }
        WEIR_CHECK(check_count(count, limits.set_elements, what, "--max-set-elements"));
    }
    std::sort(prefixes.begin(), prefixes.end());
    const auto end = std::unique(prefixes.begin(), prefixes.end());
    return check_count(static_cast<std::uint64_t>(end - prefixes.begin()), limits.set_elements, what,
                       "--max-set-elements");
}

Result<> check_sets(const Config& config, const Limits& limits) {
    if (config.sets.size() > SETS_MAX) {
        return fail(std::to_string(config.sets.size()) + " sets: at most " +
                    std::to_string(SETS_MAX) + " are possible; join some of them");
    }
    for (const auto& [set_name, set] : config.sets) {
        if (std::string fault = set_name_fault(set_name); !fault.empty()) {
            return fail("set " + fault);
        }
        if (std::string fault = comment_fault(set.comment); !fault.empty()) {
            return fail("set '" + set_name + "': " + fault);
        }
    }
    WEIR_CHECK(check_elements(config, SetType::kIpv4Addr, limits));
    return check_elements(config, SetType::kIpv6Addr, limits);
}

Result<> check_balancer(const Balancer& balancer, const Limits& limits) {
    if (balancer.source && balancer.source->address().family() != Family::kIpv4) {
        return fail("lb source " + balancer.source->to_string() +
                    ": expected IPv4; an IPv6 source is `source6`");
    }
    if (balancer.source6 && balancer.source6->address().family() != Family::kIpv6) {
        return fail("lb source6 " + balancer.source6->to_string() +
                    ": expected IPv6; an IPv4 source is `source`");
    }
    std::set<ServiceKey> keys;
    std::size_t backends = 0;
    for (const Service& service : balancer.services) {
        if (!keys.insert(service.key).second) {
            return fail("service " + service.key.to_string() + " is given twice");
        }
        if (const auto fault = contradiction(service)) {
            return fail("service " + service.key.to_string() + ": " + fault->message);
        }
        backends += service.backends.size();
    }
    WEIR_CHECK(
        check_count(balancer.services.size(), limits.services, "services", "--max-services"));
    return check_count(backends, limits.backends, "backends in all services", "--max-backends");
}

} // namespace

std::optional<Contradiction> contradiction(const Rule& rule, ChainName chain,
                                           const std::map<std::string, Set>& sets) {
    for (std::size_t i = 0; i < rule.matches.size(); i++) {
        const Match& match = rule.matches[i];
        if (const auto expected = other_interface_field(chain, match.field); !expected.empty()) {
            std::string word(info(match.field).keyword);
            std::string message = "'" + word + "' in the " + std::string(name(chain)) +
                                  " chain: expected '" + std::string(expected) + "'";
            return Contradiction{i, std::move(word), std::move(message)};
        }
        if (match.set.empty()) {
            continue;
        }
        if (std::string fault = set_fault(match, sets); !fault.empty()) {
            return Contradiction{i, "@" + match.set, std::move(fault)};
        }
    }
    if (std::string fault = comment_fault(rule.comment); !fault.empty()) {
        return Contradiction{rule.matches.size(), "comment", std::move(fault)};
    }
    return std::nullopt;
}

std::optional<Contradiction> contradiction(const Service& service) {
    const std::string vip_family = family_name(service.key.vip.family());
    std::set<IpAddr> seen;
    for (std::size_t i = 0; i < service.backends.size(); i++) {
        const Backend& backend = service.backends[i];
        const std::string word = backend.address.to_string();
        const std::string start = "backend " + word;
        if (!seen.insert(backend.address).second) {
            return Contradiction{i, word, start + " is given twice"};
        }
        if (backend.address.family() != service.key.vip.family()) {
            return Contradiction{i, word,
                                 start + " is " + family_name(backend.address.family()) +
                                     ": forward mode " + std::string(name(service.forward)) +
                                     " carries packets for an " + vip_family + " VIP to " +
                                     vip_family + " backends only"};
        }
        if (backend.weight > kWeightMax) {
            return Contradiction{i, word,
                                 start + ": weight " + std::to_string(backend.weight) +
                                     ": expected 0 to " + std::to_string(kWeightMax)};
        }
    }
    return std::nullopt;
}

Result<> check(const Config& config, const Limits& limits) {
    WEIR_CHECK(check_sets(config, limits));
    WEIR_CHECK(check_chain(config, ChainName::kIngress));
    WEIR_CHECK(check_chain(config, ChainName::kEgress));
    WEIR_CHECK(check_count(config.ingress.rules.size() + config.egress.rules.size(), limits.rules,
                           "rules in both chains", "--max-rules"));
    return check_balancer(config.balancer, limits);
}

} // namespace weir::model
