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
    output::Table table({{"service"},
                         {"forward"},
                         {"backends", Align::kRight},
                         {"packets", Align::kRight},
                         {"bytes", Align::kRight},
                         {"dropped", Align::kRight},
                         {"flows", Align::kRight}});
    output::Json list = output::Json::array();
    for (const model::Service& service : config.balancer.services) {
        WEIR_TRY(const auto hits, session.node.service_hits(service.slot));
        table.row({service.key.to_string(), std::string(model::name(service.forward)),
                   std::to_string(service.backends.size()), std::to_string(hits.packets),
                   std::to_string(hits.bytes), std::to_string(hits.dropped),
                   std::to_string(hits.flows)});
        output::Json json = service_json(service);
        json.update({{"packets", hits.packets},
                     {"bytes", hits.bytes},
                     {"dropped", hits.dropped},
                     {"flows", hits.flows}});
        list.push_back(std::move(json));
    }
    cx.out.text(table.to_string());
    cx.out.document({{"services", list}});
    return {};
}

void add_lb_service_add_options(po::options_description& add) {
    add.add_options()("forward", po::value<std::string>()->value_name("ipip|l2dsr"),
                      "how packets reach the backends: tunnelled (any router between), or by "
                      "their MAC address (same link) [ipip]");
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
                           .details = R"(`flows` is how many flows began, not how many there are.

  weir lb service list
)",
                           .run = run_service_list};

} // namespace weir::verbs
