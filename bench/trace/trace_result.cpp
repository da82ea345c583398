#include "bench/trace/trace_result.h"

namespace weir::bench {
namespace {

Json case_json(const TraceCaseResult& each) {
    Json json{{"name", each.what.name()},
              {"backend", each.what.backend},
              {"recipe", each.what.recipe},
              {"peer", each.what.peer},
              {"what", each.what.what}};
    if (!each.measured) {
        json["refused"] = each.refused;
        return json;
    }
    json["cost"] = to_json(each.measured->cost);
    json["floor"] = to_json(each.measured->floor);
    if (each.measured->ratio) {
        json["ratio"] = to_json(*each.measured->ratio);
    }
    return json;
}

} // namespace

bool TraceResult::counts_instructions() const {
    constexpr double kTicks = 0.01; // a timer's tick falls into some rounds
    if (origin.processor.find("TCG") == std::string::npos) {
        return false;
    }
    std::vector<Figure> floors;
    for (const TraceCaseResult& each : cases) {
        if (each.measured) {
            floors.push_back(each.measured->floor);
        }
    }
    return !floors.empty() && drift_of(floors) < kTicks;
}

Json to_json(const TraceResult& result) {
    Json document =
        begin_document("trace", result.origin,
                       {{"rounds", result.options.rounds}, {"events", result.options.events}});
    document["unit"] = result.counts_instructions() ? "instructions" : "ns";
    Json cases = Json::array(), rates = Json::array();
    for (const TraceCaseResult& each : result.cases) {
        cases.push_back(case_json(each));
    }
    for (const TraceRate& each : result.rates) {
        Json json{{"ring_octets", each.ring_octets},
                  {"event_octets", each.event_octets},
                  {"kept", each.kept}};
        if (each.lost) {
            json["lost"] = *each.lost;
        }
        rates.push_back(std::move(json));
    }
    document["cases"] = std::move(cases);
    document["rates"] = std::move(rates);
    if (!result.no_rates.empty()) {
        document["no_rates"] = result.no_rates;
    }
    return document;
}

} // namespace weir::bench
