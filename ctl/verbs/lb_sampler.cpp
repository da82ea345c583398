#include "verbs/lb_sampler.h"

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <utility>

#include "verbs/lb_answers.h"
#include "verbs/state.h"

namespace weir::verbs {
namespace {

using presets::cell;
using presets::Counted;

using Client = std::array<std::uint8_t, sizeof(flow_key)>;

Client client_of(const flow_key& key) {
    Client octets;
    std::copy_n(reinterpret_cast<const std::uint8_t*>(&key), octets.size(), octets.begin());
    return octets;
}

// Counters and flows as they were last seen; of what is new, from 0 on.
struct LastSeen {
    bool any = false;
    std::map<model::Handle, service_count> services;
    std::map<model::Handle, backend_count> backends;
    std::map<Client, model::Handle> flows;
};

struct Flows {
    std::map<model::Handle, std::uint64_t> held, moved; // by backend
};

// Entries of the flow table by backend; moved are those that had another one when last seen.
Result<Flows> count_flows(const kernel::Node& node, const model::Service& service,
                          const LastSeen& before, LastSeen& now) {
    WEIR_TRY(const auto entries, node.flows(service.slot, 0));
    Flows flows;
    for (const auto& [key, entry] : entries) {
        if (entry.handle < service.handle) {
            continue; // of another service, which had the same slot
        }
        flows.held[entry.handle]++;
        const Client client = client_of(key);
        const auto earlier = before.flows.find(client);
        if (earlier != before.flows.end() && earlier->second != entry.handle) {
            flows.moved[entry.handle]++;
        }
        now.flows[client] = entry.handle;
    }
    return flows;
}

Result<> add_service(const kernel::Node& node, const model::Service& service,
                     const std::map<model::Handle, Answers>& answers, const LastSeen& before,
                     LastSeen& now, std::vector<Counted>& rows) {
    WEIR_TRY(const Flows flows, count_flows(node, service, before, now));
    const auto at = [](const auto& map, auto key) {
        const auto found = map.find(key);
        return found == map.end() ? typename std::decay_t<decltype(map)>::mapped_type{}
                                  : found->second;
    };
    WEIR_TRY(const service_count all, node.service_hits(service.slot));
    const service_count was = at(before.services, service.handle);
    now.services[service.handle] = all;
    std::uint64_t held = 0, moved = 0, weight = 0;
    for (const model::Backend& backend : service.backends) {
        WEIR_TRY(const backend_count hits, node.backend_hits(backend.slot));
        const backend_count earlier = at(before.backends, backend.handle);
        now.backends[backend.handle] = hits;
        const Answers answered = at(answers, backend.handle);
        rows.push_back(
            {.keys = {cell(service.key.to_string()), cell(backend.address.to_string())},
             .read = {backend.weight, at(flows.held, backend.handle), hits.flows - earlier.flows,
                      at(flows.moved, backend.handle), hits.packets - earlier.packets,
                      hits.bytes - earlier.bytes, answered.resets, answered.sent_again}});
        held += at(flows.held, backend.handle);
        moved += at(flows.moved, backend.handle);
        weight += backend.weight;
    }
    const Answers answered = at(answers, service.handle);
    rows.push_back({.keys = {cell(service.key.to_string()), cell("all")},
                    .read = {weight, held, all.flows - was.flows, moved, all.packets - was.packets,
                             all.bytes - was.bytes, answered.resets, answered.sent_again,
                             all.dropped - was.dropped}});
    return {};
}

Result<> sample(const Session& session, LastSeen& before, std::vector<Counted>& rows) {
    LastSeen now;
    now.any = true;
    WEIR_TRY(const model::Config config, live_config(session.node));
    WEIR_TRY(const auto answers, answers_of(session.node, config, std::exchange(rows, {})));
    for (const model::Service& service : config.balancer.services) {
        WEIR_CHECK(add_service(session.node, service, answers, before, now, rows));
    }
    if (!before.any) {
        rows.clear();
    }
    before = std::move(now);
    return {};
}

} // namespace

// The lock is given back at once: others may change the configuration meanwhile, which is read anew
// each time.
Result<presets::Sampler> lb_sampler(const Context& cx) {
    return presets::Sampler(
        [&cx, before = std::make_shared<LastSeen>()](std::vector<Counted>& rows) -> Result<> {
            WEIR_TRY(const auto session, open_session(cx, kernel::Lock::Mode::kShared));
            return sample(session, *before, rows);
        });
}

} // namespace weir::verbs
