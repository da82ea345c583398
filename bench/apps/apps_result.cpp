#include "bench/apps/apps_result.h"

#include <fmt/format.h>

namespace weir::bench {
namespace {

Json case_json(const AppsCase& each) {
    Json json{{"name", each.name()},
              {"application", each.application},
              {"peer", each.peer},
              {"what", each.what},
              {"mode", name(each.mode)}};
    if (!each.measured) {
        json["refused"] = each.refused;
        return json;
    }
    const AppsMeasured& measured = *each.measured;
    json[each.bulk ? "bits_per_second" : "requests_per_second"] = to_json(measured.rate);
    for (std::size_t i = 0; i < measured.latency_us.size(); i++) {
        json["latency_us"][fmt::format("{:g}", kPercentiles[i])] = to_json(measured.latency_us[i]);
    }
    if (measured.ratio) {
        json["ratio"] = to_json(*measured.ratio);
    }
    return json;
}

} // namespace

std::string AppsCase::name() const {
    return fmt::format("{}/{}/{}", application, peer, bench::name(mode));
}

Json to_json(const AppsResult& result) {
    const AppsOptions& options = result.options;
    Json modes = Json::array(), cases = Json::array();
    for (const NetMode mode : options.modes) {
        modes.push_back(name(mode));
    }
    for (const AppsCase& each : result.cases) {
        cases.push_back(case_json(each));
    }
    Json document = begin_document("apps", result.origin,
                                   {{"applications", options.applications},
                                    {"modes", modes},
                                    {"rounds", options.rounds},
                                    {"seconds", options.seconds},
                                    {"connections", options.connections}});
    document["cases"] = std::move(cases);
    return document;
}

} // namespace weir::bench
