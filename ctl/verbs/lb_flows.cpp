#include <fmt/format.h>
#include <map>

#include "verbs/all.h"
#include "verbs/lb_words.h"
#include "verbs/state.h"

namespace weir::verbs {
namespace {

using output::Align;
using output::Json;

std::string name(kernel::FlowState state) {
    switch (state) {
    case kernel::FlowState::kEstablished:
        return "established";
    case kernel::FlowState::kOnSight:
        return "on sight";
    case kernel::FlowState::kHalfOpen:
        return "half-open";
    }
    return "";
}

// An IPv6 client is not told by its fingerprint.
std::string client(const kernel::TrackedFlow& flow, Family family) {
    return family == Family::kIpv4
               ? fmt::format("{}:{}", IpAddr::v4(flow.client4).to_string(), flow.sport)
               : fmt::format("{:016x}", flow.fingerprint);
}

Json flow_json(const kernel::TrackedFlow& flow, const model::ServiceKey& key) {
    Json json = {{"fingerprint", fmt::format("{:016x}", flow.fingerprint)},
                 {"state", name(flow.state)},
                 {"closed", flow.closed},
                 {"silent_seconds", flow_seconds(flow.silent)}};
    if (key.vip.family() == Family::kIpv4) {
        json["client"] = IpAddr::v4(flow.client4).to_string();
        json["sport"] = flow.sport;
        json["dport"] = flow.dport;
    }
    return json;
}

// Why there are only these, or none.
std::string why(const kernel::RingStatus& ring) {
    if (ring.hot + ring.warm == 0) {
        return "every bucket of the ring is at rest: the ring alone decides, and no flow is "
               "tracked\n";
    }
    return fmt::format("{} of {} buckets changed not long ago: only their flows are tracked\n",
                       ring.hot + ring.warm, ring.buckets);
}

Result<> run_lb_flows(const po::variables_map& options, const Words& words, Context& cx) {
    WEIR_CHECK(at_most(words, 1));
    WEIR_TRY(const auto key, parse_service(words));
    std::uint64_t limit = 0;
    if (options.count("limit") > 0) {
        WEIR_TRY(limit, parse_number(option_text(options, "limit"), "--limit", 1, 1U << 31));
    }
    WEIR_TRY(const auto session, open_session(cx, kernel::Lock::Mode::kShared));
    WEIR_TRY(auto config, live_config(session.node));
    WEIR_TRY(const auto* service, find_service(config, key));
    WEIR_CHECK(session.node.settle());
    WEIR_TRY(auto rings, session.node.ring_statuses());
    const kernel::RingStatus& ring = rings[service->slot];
    WEIR_TRY(const auto flows, session.node.flows(service->slot, limit));
    std::map<model::Handle, std::string> backends;
    for (const model::Backend& backend : service->backends) {
        backends[backend.handle] = backend.address.to_string();
    }
    output::Table table({{"client"}, {"backend"}, {"state"}, {"silent", Align::kRight}});
    Json list = Json::array();
    for (const kernel::TrackedFlow& flow : flows) {
        const auto backend = backends.find(flow.backend);
        if (backend == backends.end()) {
            continue; // removed this moment: its flows go to others
        }
        table.row({client(flow, key.vip.family()), backend->second,
                   flow.closed ? "closed" : name(flow.state),
                   fmt::format("{} s", flow_seconds(flow.silent))});
        Json json = flow_json(flow, key);
        json["backend"] = backend->second;
        list.push_back(std::move(json));
    }
    cx.out.text((list.empty() ? "" : table.to_string()) + why(ring));
    cx.out.document(
        {{"service", key.to_string()}, {"ring", ring_json(ring)}, {"flows", std::move(list)}});
    return {};
}

void add_lb_flows_options(po::options_description& add) {
    add.add_options()("limit", po::value<std::string>()->value_name("N"),
                      "at most N flows [all of them]");
}

} // namespace

const Verb lb_flows{
    .path = "lb flows",
    .operands = "SERVICE",
    .summary = "list the tracked flows of a service and their backends",
    .details = R"(Flows are tracked only in buckets of the ring that changed not long ago; all others
follow the ring, which `weir lb which` answers for. Of an IPv6 flow only its fingerprint is
kept. While packets come in, a flow may be missed or appear twice.

  weir lb flows 203.0.113.10:80/tcp --limit 20
)",
    .options = add_lb_flows_options,
    .run = run_lb_flows};

} // namespace weir::verbs
