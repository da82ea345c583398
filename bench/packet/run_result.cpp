#include "bench/packet/run_result.h"

#include <string>

namespace weir::bench {
namespace {

Json to_json(const CaseResult& each) {
    Json json{{"name", each.name}, {"what", each.what}};
    if (!each.series.empty()) {
        json["series"] = each.series;
        json["x"] = each.x;
    }
    if (!each.measured) {
        json["refused"] = each.refused;
        return json;
    }
    const Measured& measured = *each.measured;
    json["net_ns"] = to_json(measured.net);
    json["floor_ns"] = to_json(measured.floor);
    json["rounds"] = measured.rounds;
    json["laps"] = measured.laps;
    Json answers = Json::object();
    for (int action = -1; action < REARM_ANSWERS - 1; action++) {
        if (const std::uint64_t laps = measured.tally.of(action); laps > 0) {
            answers[action_name(each.type, action)] = laps;
        }
    }
    json["answers"] = std::move(answers);
    return json;
}

} // namespace

Json to_json(const RunResult& result) {
    Json programs = Json::array(), memory = Json::array(), cases = Json::array();
    for (const ProgramSize& program : result.programs) {
        programs.push_back({{"name", program.name},
                            {"tag", program.tag},
                            {"verified_insns", program.verified_insns},
                            {"jited_bytes", program.jited_bytes}});
    }
    for (const MemoryCost& each : result.memory) {
        memory.push_back({{"of", each.what}, {"bytes", each.bytes}, {"maps", each.of}});
    }
    for (const CaseResult& each : result.cases) {
        cases.push_back(to_json(each));
    }
    Json document = begin_document(
        "run", result.origin, {{"rounds", result.effort.rounds}, {"run_ns", result.effort.run_ns}});
    document["programs"] = std::move(programs);
    document["memory"] = std::move(memory);
    document["cases"] = std::move(cases);
    return document;
}

} // namespace weir::bench
