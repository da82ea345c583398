#include "bench/net/net_result.h"

#include <fmt/format.h>

namespace weir::bench {
namespace {

Json counts_json(const NetCounts& counts) {
    Json json{{"generator", counts.generator}, {"device", counts.device}};
    if (counts.handled) {
        json["handled"] = *counts.handled;
    }
    json["unaccounted"] = counts.unaccounted;
    json["sink"] = counts.sink;
    return json;
}

Json case_json(const NetCase& each) {
    Json json{{"name", each.name()}, {"job", each.job},         {"peer", each.peer},
              {"what", each.what},   {"mode", name(each.mode)}, {"size", each.size},
              {"flows", each.flows}, {"cpus", each.cpus}};
    if (!each.measured) {
        json["refused"] = each.refused;
        return json;
    }
    json["packets_per_second"] = to_json(each.measured->packets_per_second);
    json["cpu_ns"] = to_json(each.measured->cpu_ns);
    if (each.measured->ratio) {
        json["ratio"] = to_json(*each.measured->ratio);
    }
    if (each.measured->efficiency) {
        json["efficiency"] = to_json(*each.measured->efficiency);
    }
    json["counts"] = counts_json(each.measured->counts);
    json["repeated"] = each.measured->repeated;
    return json;
}

Json options_json(const NetOptions& options) {
    Json jobs = Json::object(), modes = Json::array();
    for (const NetJob& job : options.jobs) {
        jobs[job.name] = job.what;
    }
    for (const NetMode mode : options.modes) {
        modes.push_back(name(mode));
    }
    return {{"jobs", jobs},
            {"sizes", options.sizes},
            {"flows", options.flows},
            {"modes", modes},
            {"cpus", options.cpus},
            {"rounds", options.rounds},
            {"packets", options.packets}};
}

} // namespace

NetCounts& NetCounts::operator+=(const NetCounts& other) {
    generator += other.generator;
    device += other.device;
    if (other.handled) {
        handled = handled.value_or(0) + *other.handled;
    }
    unaccounted += other.unaccounted;
    sink += other.sink;
    return *this;
}

std::string disagreement(const NetCounts& counts, bool forward) {
    const bool agree = counts.device == counts.generator &&
                       counts.handled.value_or(counts.generator) == counts.generator &&
                       counts.sink == (forward ? counts.generator : 0) && counts.unaccounted == 0;
    if (agree) {
        return "";
    }
    std::string text = fmt::format("generator {}, device {}", counts.generator, counts.device);
    if (counts.handled) {
        text += fmt::format(", {} by it {}", forward ? "handed on" : "dropped", *counts.handled);
    }
    if (counts.unaccounted != 0) {
        text += fmt::format(", missing from its ledger {}", counts.unaccounted);
    }
    return text + fmt::format(", sink {}", counts.sink);
}

bool only_lost(const NetCounts& counts, bool forward) {
    return counts.device <= counts.generator &&
           counts.handled.value_or(counts.device) == counts.device && counts.unaccounted == 0 &&
           counts.sink <= (forward ? counts.device : 0);
}

std::string NetCase::name() const {
    const std::string name = fmt::format("{}/{}/{}/{}", job, peer, bench::name(mode), size);
    return cpus == 1 ? name : fmt::format("{}/{}-cpus", name, cpus);
}

Json to_json(const NetResult& result) {
    Json cases = Json::array();
    for (const NetCase& each : result.cases) {
        cases.push_back(case_json(each));
    }
    Json document = begin_document("net", result.origin, options_json(result.options));
    document["cases"] = std::move(cases);
    return document;
}

} // namespace weir::bench
