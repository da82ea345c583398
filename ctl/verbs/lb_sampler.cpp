#include "verbs/lb_sampler.h"

#include <map>
#include <memory>
#include <utility>

#include "verbs/lb_answers.h"
#include "verbs/state.h"

namespace weir::verbs {
namespace {

using presets::cell;
using presets::Counted;

// Counters as they were last seen; of what is new, from 0 on.
struct LastSeen {
    bool any = false;
    std::map<model::Handle, service_count> services;
    std::map<model::Handle, backend_count> backends;
};

Result<> add_service(const kernel::Node& node, const model::Service& service,
                     const kernel::RingStatus& ring,
                     const std::map<model::Handle, Answers>& answers, const LastSeen& before,
                     LastSeen& now, std::vector<Counted>& rows) {
    const auto at = [](const auto& map, auto key) {
        const auto found = map.find(key);
        return found == map.end() ? typename std::decay_t<decltype(map)>::mapped_type{}
                                  : found->second;
    };
    WEIR_TRY(const service_count all, node.service_hits(service.slot));
    const service_count was = at(before.services, service.handle);
    now.services[service.handle] = all;
    std::uint64_t weight = 0;
    for (const model::Backend& backend : service.backends) {
        WEIR_TRY(const backend_count hits, node.backend_hits(backend.slot));
        const backend_count earlier = at(before.backends, backend.handle);
        now.backends[backend.handle] = hits;
        const Answers answered = at(answers, backend.handle);
        rows.push_back(
            {.keys = {cell(service.key.to_string()), cell(backend.address.to_string())},
             .read = {backend.weight, at(ring.tracked, backend.handle),
                      hits.connections - earlier.connections, hits.packets - earlier.packets,
                      hits.bytes - earlier.bytes, answered.resets, answered.sent_again}});
        weight += backend.weight;
    }
    const Answers answered = at(answers, service.handle);
    rows.push_back(
        {.keys = {cell(service.key.to_string()), cell("all")},
         .read = {weight, ring.entries(), all.connections - was.connections,
                  all.packets - was.packets, all.bytes - was.bytes, answered.resets,
                  answered.sent_again, all.dropped - was.dropped, ring.hot, ring.overflow}});
    return {};
}

Result<> sample(const Session& session, LastSeen& before, std::vector<Counted>& rows) {
    LastSeen now;
    now.any = true;
    WEIR_TRY(const model::Config config, live_config(session.node));
    WEIR_TRY(auto rings, session.node.ring_statuses());
    WEIR_TRY(const auto answers, answers_of(session.node, config, std::exchange(rows, {})));
    for (const model::Service& service : config.balancer.services) {
        WEIR_CHECK(add_service(session.node, service, rings[service.slot], answers, before, now, rows));
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
