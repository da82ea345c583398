// lb backend add, delete, set, list.
#include <algorithm>
#include <fmt/format.h>

#include "output/units.h"
#include "verbs/all.h"
#include "verbs/change.h"
#include "verbs/lb_words.h"

namespace weir::verbs {
namespace {

using model::Backend;
using model::Config;
using model::Service;
using output::Align;

// SERVICE ADDRESS, as all of these verbs but `list` have it.
struct Named {
    model::ServiceKey service;
    IpAddr address;

    std::string to_string() const {
        return fmt::format("backend {} of service {}", address.to_string(), service.to_string());
    }
};

Result<Named> parse_named(const Words& words) {
    WEIR_CHECK(at_most(words, 2));
    Named named;
    WEIR_TRY(named.service, parse_service(words));
    WEIR_TRY(const auto word, operand(words, 1, "ADDRESS"));
    const auto address = IpAddr::parse(word);
    if (!address) {
        return usage(address.error().message());
    }
    named.address = *address;
    return named;
}

Result<> run_backend_add(const po::variables_map& options, const Words& words, Context& cx) {
    WEIR_TRY(const auto named, parse_named(words));
    Backend backend;
    backend.address = named.address;
    if (options.count("weight") > 0) {
        WEIR_TRY(backend.weight, parse_weight(option_text(options, "weight")));
    }
    WEIR_TRY(const auto changed, change(cx, [&](Config& config) -> Result<> {
                 WEIR_TRY(auto* service, find_service(config, named.service));
                 if (find_backend(*service, named.address)) {
                     return fail(fmt::format("{} exists already: `weir lb backend set` changes it",
                                             named.to_string()));
                 }
                 service->backends.push_back(backend);
                 return {};
             }));
    report(cx, changed, fmt::format("{} added", named.to_string()));
    return {};
}

Result<> run_backend_delete(const po::variables_map&, const Words& words, Context& cx) {
    WEIR_TRY(const auto named, parse_named(words));
    WEIR_TRY(const auto changed, change(cx, [&](Config& config) -> Result<> {
                 WEIR_TRY(auto* service, find_service(config, named.service));
                 WEIR_CHECK(find_backend(*service, named.address));
                 std::erase_if(service->backends, [&](const Backend& backend) {
                     return backend.address == named.address;
                 });
                 return {};
             }));
    report(cx, changed, fmt::format("{} deleted", named.to_string()));
    return {};
}

Result<> run_backend_set(const po::variables_map& options, const Words& words, Context& cx) {
    WEIR_TRY(const auto named, parse_named(words));
    if (options.count("weight") == 0) {
        return usage("say what to set: --weight N");
    }
    WEIR_TRY(const auto weight, parse_weight(option_text(options, "weight")));
    WEIR_TRY(const auto changed, change(cx, [&](Config& config) -> Result<> {
                 WEIR_TRY(auto* service, find_service(config, named.service));
                 WEIR_TRY(auto* backend, find_backend(*service, named.address));
                 backend->weight = weight;
                 return {};
             }));
    report(cx, changed, fmt::format("{} has weight {}", named.to_string(), weight));
    return {};
}

Result<> run_backend_list(const po::variables_map&, const Words& words, Context& cx) {
    WEIR_CHECK(at_most(words, 1));
    WEIR_TRY(const auto key, parse_service(words));
    WEIR_TRY(const auto session, open_session(cx, kernel::Lock::Mode::kShared));
    WEIR_TRY(auto config, live_config(session.node));
    WEIR_TRY(const auto* service, find_service(config, key));
    std::uint64_t weights = 0;
    for (const Backend& backend : service->backends) {
        weights += backend.weight;
    }
    output::Table table({{"backend"},
                         {"weight", Align::kRight},
                         {"share", Align::kRight},
                         {"packets", Align::kRight},
                         {"bytes", Align::kRight},
                         {"connections", Align::kRight}});
    output::Json list = output::Json::array();
    for (const Backend& backend : service->backends) {
        WEIR_TRY(const auto hits, session.node.backend_hits(backend.slot));
        table.row({backend.address.to_string(), std::to_string(backend.weight),
                   output::percentage(backend.weight, static_cast<double>(weights)),
                   std::to_string(hits.packets), std::to_string(hits.bytes),
                   std::to_string(hits.connections)});
        list.push_back({{"address", backend.address.to_string()},
                        {"weight", backend.weight},
                        {"handle", backend.handle},
                        {"packets", hits.packets},
                        {"bytes", hits.bytes},
                        {"connections", hits.connections}});
    }
    cx.out.text(table.to_string());
    cx.out.document({{"service", key.to_string()}, {"backends", list}});
    return {};
}

void weight_option(po::options_description& add) {
    add.add_options()("weight", po::value<std::string>()->value_name("N"),
                      "share of new flows, 0 to 65535; 0 keeps its flows and gets no new ones [1]");
}

} // namespace

const Verb lb_backend_add{.path = "lb backend add",
                          .operands = "SERVICE ADDRESS",
                          .summary = "add a backend to a service",
                          .details = R"(Flows that have a backend keep it; of the others few move.

  weir lb backend add 203.0.113.10:80/tcp 10.0.2.2 --weight 3
)",
                          .options = weight_option,
                          .run = run_backend_add};

const Verb lb_backend_delete{
    .path = "lb backend delete",
    .operands = "SERVICE ADDRESS",
    .summary = "delete a backend of a service",
    .details = R"(Its flows go to other backends at once; set its weight to 0 first to let them
end.

  weir lb backend delete 203.0.113.10:80/tcp 10.0.2.2
)",
    .run = run_backend_delete};

const Verb lb_backend_set{.path = "lb backend set",
                          .operands = "SERVICE ADDRESS",
                          .summary = "change the weight of a backend",
                          .details = R"(With weight 0 the backend drains.

  weir lb backend set 203.0.113.10:80/tcp 10.0.2.2 --weight 0
)",
                          .options = weight_option,
                          .run = run_backend_set};

const Verb lb_backend_list{.path = "lb backend list",
                           .operands = "SERVICE",
                           .summary = "list the backends of a service with their counters",
                           .details = R"(`share` is the part of new flows that the weight gives it.

  weir lb backend list 203.0.113.10:80/tcp
)",
                           .run = run_backend_list};

} // namespace weir::verbs
