#include <algorithm>
#include <iterator>
#include <map>
#include <optional>

#include "text/config_text.h"

namespace weir::text {
namespace {

using Changes = std::vector<Change>;

// What does not exist before or after is none.
void say(Changes& out, const std::string& what, const std::optional<std::string>& from,
         const std::optional<std::string>& to) {
    if (from == to) {
        return;
    }
    if (from && to) {
        out.push_back({'~', what + " " + *from + " -> " + *to});
    } else {
        out.push_back({from ? '-' : '+', what + " " + (from ? *from : *to)});
    }
}

std::string_view name(model::Verdict policy) {
    return policy == model::Verdict::kAccept ? "accept" : "drop";
}

// The longest run of `places` that stays in order: of the rules outside of it, each was moved.
// By patience sorting (Fredman, 1975), n log n.
std::vector<bool> standing(const std::vector<std::size_t>& places) {
    std::vector<std::size_t> tails;                                 // by length of the run - 1
    std::vector<std::size_t> before(places.size(), model::kNoRule); // in its run
    for (std::size_t i = 0; i < places.size(); i++) {
        if (places[i] == model::kNoRule) {
            continue;
        }
        const auto tail =
            std::lower_bound(tails.begin(), tails.end(), places[i],
                             [&](std::size_t at, std::size_t place) { return places[at] < place; });
        before[i] = tail == tails.begin() ? model::kNoRule : *std::prev(tail);
        if (tail == tails.end()) {
            tails.push_back(i);
        } else {
            *tail = i;
        }
    }
    std::vector<bool> stands(places.size());
    for (std::size_t i = tails.empty() ? model::kNoRule : tails.back(); i != model::kNoRule;
         i = before[i]) {
        stands[i] = true;
    }
    return stands;
}

// In the order of the rules, as a diff of two files is read.
void diff_rules(Changes& out, const std::string& chain, const std::vector<model::Rule>& from,
                const std::vector<model::Rule>& to) {
    const std::vector<std::size_t> places = model::match_rules(from, to);
    const std::vector<bool> stands = standing(places);
    std::vector<bool> remains(from.size());
    for (const std::size_t place : places) {
        if (place != model::kNoRule) {
            remains[place] = true;
        }
    }
    std::size_t next = 0; // in `from`
    const auto removed_before = [&](std::size_t end) {
        for (; next < end; next++) {
            if (!remains[next]) {
                out.push_back({'-', "rule " + chain + " " + print(from[next])});
            }
        }
    };
    for (std::size_t i = 0; i < to.size(); i++) {
        if (stands[i]) {
            removed_before(places[i]);
        } else if (places[i] == model::kNoRule) {
            out.push_back({'+', "rule " + chain + " " + print(to[i])});
        } else {
            out.push_back({'~', "rule " + chain + " " + print(to[i]) + " moved from position " +
                                    std::to_string(places[i] + 1) + " to " +
                                    std::to_string(i + 1)});
        }
    }
    removed_before(from.size());
}

void diff_chain(Changes& out, model::ChainName chain, const model::Config& from,
                const model::Config& to) {
    const std::string chain_name(model::name(chain));
    say(out, "policy " + chain_name, std::string(name(from.chain(chain).policy)),
        std::string(name(to.chain(chain).policy)));
    diff_rules(out, chain_name, from.chain(chain).rules, to.chain(chain).rules);
}

void diff_packets(Changes& out, const model::Config& from, const model::Config& to) {
    for (std::size_t i = 0; i < from.class_actions.size(); i++) {
        say(out, "packets " + std::string(model::name(static_cast<packet_class>(i))),
            std::string(model::name(from.class_actions[i])),
            std::string(model::name(to.class_actions[i])));
    }
}

// The elements of `set` that `other` is without.
void say_elements(Changes& out, char sign, const std::string& name, const model::Set& set,
                  const model::Set& other) {
    std::vector<model::Interval> only;
    std::set_difference(set.elements.begin(), set.elements.end(), other.elements.begin(),
                        other.elements.end(), std::back_inserter(only));
    for (const model::Interval& element : only) {
        out.push_back({sign, "set " + name + " element " + print_element(set.type, element)});
    }
}

void diff_set(Changes& out, const std::string& name, const model::Set* from,
              const model::Set* to) {
    if (from != nullptr && to != nullptr && from->type != to->type) {
        diff_set(out, name, from, nullptr); // elements of another type are other elements
        diff_set(out, name, nullptr, to);
        return;
    }
    const auto type = [](const model::Set* s) {
        return s == nullptr ? std::nullopt : std::optional<std::string>(model::name(s->type));
    };
    say(out, "set " + name + " type", type(from), type(to));
    const auto comment = [](const model::Set* s) {
        return s == nullptr || s->comment.empty()
                   ? std::nullopt
                   : std::optional<std::string>("\"" + s->comment + "\"");
    };
    say(out, "set " + name + " comment", comment(from), comment(to));

    const model::Set none;
    const model::Set& before = from == nullptr ? none : *from;
    const model::Set& after = to == nullptr ? none : *to;
    say_elements(out, '-', name, before, after);
    say_elements(out, '+', name, after, before);
}

// Calls `each` with every key of either side and what stands under it; null where it is on one side
// only.
template <typename Map, typename Each>
void pairwise(const Map& from, const Map& to, Each each) {
    auto f = from.begin();
    auto t = to.begin();
    while (f != from.end() || t != to.end()) {
        if (t == to.end() || (f != from.end() && f->first < t->first)) {
            each(f->first, &f->second, nullptr);
            f++;
        } else if (f == from.end() || t->first < f->first) {
            each(t->first, nullptr, &t->second);
            t++;
        } else {
            each(f->first, &f->second, &t->second);
            f++;
            t++;
        }
    }
}

void diff_service(Changes& out, const model::ServiceKey& key, const model::Service* from,
                  const model::Service* to) {
    const std::string service = "service " + key.to_string();
    const auto forward = [](const model::Service* s) {
        return s == nullptr ? std::nullopt : std::optional<std::string>(model::name(s->forward));
    };
    say(out, service + " forward", forward(from), forward(to));
    const auto vlan = [](const model::Service* s) {
        return s == nullptr || s->vlan == 0 ? std::nullopt
                                            : std::optional(std::to_string(s->vlan));
    };
    say(out, service + " vlan", vlan(from), vlan(to));

    const auto weights = [](const model::Service* s) {
        std::map<IpAddr, std::uint32_t> by_address;
        if (s != nullptr) {
            for (const model::Backend& backend : s->backends) {
                by_address[backend.address] = backend.weight;
            }
        }
        return by_address;
    };
    const auto text = [](const std::uint32_t* weight) {
        return weight == nullptr ? std::nullopt : std::optional(std::to_string(*weight));
    };
    pairwise(weights(from), weights(to),
             [&](const IpAddr& address, const std::uint32_t* before, const std::uint32_t* after) {
                 say(out, service + " backend " + address.to_string() + " weight", text(before),
                     text(after));
             });
}

void diff_balancer(Changes& out, const model::Balancer& from, const model::Balancer& to) {
    const auto text = [](const auto& setting) {
        return setting ? std::optional<std::string>(setting->to_string()) : std::nullopt;
    };
    say(out, "lb source", text(from.source), text(to.source));
    say(out, "lb source6", text(from.source6), text(to.source6));
    say(out, "lb gateway", text(from.gateway), text(to.gateway));
    say(out, "lb seed", text(from.seed), text(to.seed));
    say(out, "lb idle", std::to_string(from.idle), std::to_string(to.idle));
    const auto by_key = [](const model::Balancer& balancer) {
        std::map<model::ServiceKey, model::Service> services;
        for (const model::Service& service : balancer.services) {
            services.emplace(service.key, service);
        }
        return services;
    };
    pairwise(by_key(from), by_key(to),
             [&](const model::ServiceKey& key, const model::Service* f, const model::Service* t) {
                 diff_service(out, key, f, t);
             });
}

} // namespace

std::vector<Change> diff(const model::Config& from, const model::Config& to) {
    Changes out;
    diff_chain(out, model::ChainName::kIngress, from, to);
    diff_chain(out, model::ChainName::kEgress, from, to);
    diff_packets(out, from, to);
    pairwise(from.sets, to.sets,
             [&](const std::string& name, const model::Set* f, const model::Set* t) {
                 diff_set(out, name, f, t);
             });
    diff_balancer(out, from.balancer, to.balancer);
    return out;
}

} // namespace weir::text
