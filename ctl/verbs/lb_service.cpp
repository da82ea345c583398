// lb service add, delete, list.
#include <algorithm>
#include <fmt/format.h>

#include "verbs/all.h"
#include "verbs/change.h"
#include "verbs/lb_words.h"
#include "verbs/listing.h"

namespace weir::verbs {
namespace {

using output::Align;

Result<> run_service_add(const po::variables_map& options, const Words& words, Context& cx) {
    WEIR_CHECK(at_most(words, 1));
    model::Service service;
    WEIR_TRY(service.key, parse_service(words));
    if (options.count("forward") > 0) {
        WEIR_TRY(const auto mode, parse_choice(option_text(options, "forward"), "forwarding mode",
                                               {"ipip", "l2dsr"}));
        service.forward = mode == 0 ? model::Forward::kIpip : model::Forward::kL2Dsr;
    }
    if (options.count("vlan") > 0) {
        WEIR_TRY(const auto vlan,
                 parse_number(option_text(options, "vlan"), "--vlan", 1, model::kVlanMax));
        service.vlan = static_cast<std::uint16_t>(vlan);
    }
    const std::string name = service.key.to_string();
    WEIR_TRY(const auto changed, change(cx, [&](model::Config& config) -> Result<> {
                 if (find_service(config, service.key)) {
                     return fail(fmt::format("service {} exists already", name));
                 }
                 config.balancer.services.push_back(service);
                 return {};
             }));
    report(cx, changed, fmt::format("service {} added", name));
    return {};
}

Result<> run_service_delete(const po::variables_map&, const Words& words, Context& cx) {
    WEIR_CHECK(at_most(words, 1));
    WEIR_TRY(const auto key, parse_service(words));
    WEIR_TRY(const auto changed, change(cx, [&](model::Config& config) -> Result<> {
                 WEIR_CHECK(find_service(config, key));
                 std::erase_if(config.balancer.services,
                               [&](const model::Service& service) { return service.key == key; });
                 return {};
             }));
    report(cx, changed, fmt::format("service {} deleted", key.to_string()));
    return {};
}

Result<> run_service_list(const po::variables_map&, const Words& words, Context& cx) {
    WEIR_CHECK(at_most(words, 0));
    WEIR_TRY(const auto session, open_session(cx, kernel::Lock::Mode::kShared));
    WEIR_TRY(const auto config, live_config(session.node));
    WEIR_CHECK(session.node.settle());
    WEIR_TRY(auto rings, session.node.ring_statuses());
    output::Table table({{"service"},
                         {"forward"},
                         {"backends", Align::kRight},
                         {"packets", Align::kRight},
                         {"bytes", Align::kRight},
                         {"dropped", Align::kRight},
                         {"connections", Align::kRight},
                         {"at rest", Align::kRight},
                         {"hot", Align::kRight},
                         {"entries", Align::kRight},
                         {"overflow", Align::kRight}});
    output::Json list = output::Json::array();
    for (const model::Service& service : config.balancer.services) {
        WEIR_TRY(const auto hits, session.node.service_hits(service.slot));
        const kernel::RingStatus& ring = rings[service.slot];
        table.row({service.key.to_string(), std::string(model::name(service.forward)),
                   std::to_string(service.backends.size()), std::to_string(hits.packets),
                   std::to_string(hits.bytes), std::to_string(hits.dropped),
                   std::to_string(hits.connections),
                   fmt::format("{}/{}", ring.at_rest(), ring.buckets),
                   std::to_string(ring.hot), std::to_string(ring.entries()),
                   std::to_string(ring.overflow)});
        output::Json json = service_json(service);
        json.update({{"packets", hits.packets},
                     {"bytes", hits.bytes},
                     {"dropped", hits.dropped},
                     {"connections", hits.connections},
                     {"ring", ring_json(ring)}});
        list.push_back(std::move(json));
    }
    cx.out.text(table.to_string());
    cx.out.document({{"services", list}});
    return {};
}

void add_lb_service_add_options(po::options_description& add) {
    add.add_options()("forward", po::value<std::string>()->value_name("ipip|l2dsr"),
                      "how packets reach the backends: tunnelled (any router between), or by "
                      "their MAC address (same link) [ipip]")(
        "vlan", po::value<std::string>()->value_name("ID"),
        "VLAN that its packets come in [none: untagged]");
}

} // namespace

const Verb lb_service_add{
    .path = "lb service add",
    .operands = "VIP:PORT/PROTO",
    .summary = "make a service",
    .details = R"(PORT is a number or `any`, PROTO is tcp or udp; an IPv6 VIP stands in brackets. A
packet for a service without backends is dropped and counted.

  weir lb service add 203.0.113.10:80/tcp
  weir lb service add '[2001:db8::10]:any/udp' --forward l2dsr
)",
    .options = add_lb_service_add_options,
    .run = run_service_add};

const Verb lb_service_delete{.path = "lb service delete",
                             .operands = "VIP:PORT/PROTO",
                             .summary = "delete a service with its backends",
                             .details =
                                 R"(Packets for the VIP go to the stack of this host afterwards.

  weir lb service delete 203.0.113.10:80/tcp
)",
                             .run = run_service_delete};

const Verb lb_service_list{.path = "lb service list",
                           .operands = "",
                           .summary = "list services with their counters",
                           .details =
                               R"(`connections` counts those that began (SYNs). `at rest` is how many buckets of the ring need no
flow table, and `hot` how many changed not long ago; the others cool down. `entries` are the service's flows in
the flow table; `overflow` counts those that found no room there.

  weir lb service list
)",
                           .run = run_service_list};

} // namespace weir::verbs
