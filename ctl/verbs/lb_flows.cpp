#include <algorithm>
#include <fmt/format.h>
#include <map>

#include "verbs/all.h"
#include "verbs/lb_words.h"
#include "verbs/state.h"

namespace weir::verbs {
namespace {

using output::Align;

// Port numbers lie in network order in the flow table.
std::uint16_t port(__be16 network_order) {
    const auto value = static_cast<std::uint16_t>(network_order);
    return static_cast<std::uint16_t>(value << 8 | value >> 8);
}

IpAddr client_address(const flow_key& key, Family family) {
    std::array<std::uint8_t, 16> octets{};
    std::copy_n(reinterpret_cast<const std::uint8_t*>(key.client), octets.size(), octets.begin());
    U128 number;
    for (std::size_t i = 0; i < 8; i++) {
        number.hi = number.hi << 8 | octets[i];
        number.lo = number.lo << 8 | octets[i + 8];
    }
    return family == Family::kIpv4 ? IpAddr::v4(static_cast<std::uint32_t>(number.hi >> 32))
                                   : IpAddr::v6(number);
}

std::string endpoint(const IpAddr& address, std::uint16_t port) {
    return address.family() == Family::kIpv4 ? fmt::format("{}:{}", address.to_string(), port)
                                             : fmt::format("[{}]:{}", address.to_string(), port);
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
    WEIR_TRY(const auto flows, session.node.flows(service->slot, limit));
    std::map<model::Handle, std::string> backends;
    for (const model::Backend& backend : service->backends) {
        backends[backend.handle] = backend.address.to_string();
    }
    output::Table table({{"client"}, {"vip"}, {"backend"}});
    output::Json list = output::Json::array();
    for (const auto& [flow_of, value] : flows) {
        // Handles only grow: this flow's backend is older than the service, so the flow belonged to
        // another one, which had the same slot.
        if (value.handle < service->handle) {
            continue;
        }
        const auto backend = backends.find(value.handle);
        const bool gone = backend == backends.end();
        const IpAddr client = client_address(flow_of, key.vip.family());
        table.row({endpoint(client, port(flow_of.sport)),
                   endpoint(key.vip, key.port == 0 ? port(flow_of.dport) : key.port),
                   gone ? "deleted" : backend->second});
        list.push_back({{"client", client.to_string()},
                        {"sport", port(flow_of.sport)},
                        {"dport", key.port == 0 ? port(flow_of.dport) : key.port},
                        {"backend", gone ? output::Json() : output::Json(backend->second)}});
    }
    cx.out.text(table.to_string());
    cx.out.document({{"service", key.to_string()}, {"flows", list}});
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
    .summary = "list the flows of a service and their backends",
    .details = R"(A flow whose backend was deleted shows `deleted`; its next packet gets another
backend. While packets come in, a flow may be missed or show twice.

  weir lb flows 203.0.113.10:80/tcp --limit 20
)",
    .options = add_lb_flows_options,
    .run = run_lb_flows};

} // namespace weir::verbs
