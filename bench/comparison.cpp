#include "bench/comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "bench/apps/apps_run.h"
#include "bench/net/peers.h"

namespace weir::bench {
namespace {

struct Measure {
    const char* key; // within a case: a JSON pointer
    const char* unit;
    double resolution = 0;
};

struct ComparedKind {
    const char* name;
    std::vector<Measure> measures;
    // Where a case shows the machine's speed: a JSON pointer, and the peer whose case it must be.
    const char* floor = nullptr;
    const char* floor_peer = nullptr;
};

const std::array<ComparedKind, 5>& kinds() {
    static const std::array<ComparedKind, 5> all = {
        ComparedKind{"run", {{"/net_ns", "ns/packet", 1}}, "/floor_ns"},
        ComparedKind{"net",
                     {{"/packets_per_second", "packets/s"},
                      {"/cpu_ns", "ns/packet", 1},
                      {"/ratio", "to floor", 0.01},
                      {"/efficiency", "efficiency", 0.01}},
                     "/cpu_ns",
                     kFloor},
        ComparedKind{"apps",
                     {{"/requests_per_second", "requests/s"},
                      {"/bits_per_second", "bits/s"},
                      {"/ratio", "to direct", 0.01},
                      {"/latency_us/50", "p50 us", 1},
                      {"/latency_us/90", "p90 us", 1},
                      {"/latency_us/99", "p99 us", 1},
                      {"/latency_us/99.9", "p99.9 us", 1}},
                     "/requests_per_second",
                     kDirectPeer},
        ComparedKind{"control", {{"/ms", "ms", 0.1}}, "/floor_ms"},
        ComparedKind{"trace", {{"/cost", "a hit", 1}, {"/ratio", "to weir", 0.01}}, "/floor"}};
    return all;
}

std::optional<Figure> figure_at(const Json& each, const char* key) {
    const Json::json_pointer at(key);
    return each.contains(at) ? std::optional(figure_from(each.at(at))) : std::nullopt;
}

Evidence evidence_of(const ComparedKind& kind, const Json& document) {
    Evidence evidence{kind.name, {}, {}};
    for (const Json& each : document.at("cases")) {
        const auto name = each.at("name").get<std::string>();
        for (const Measure& measure : kind.measures) {
            if (const auto figure = figure_at(each, measure.key)) {
                evidence.quantities.push_back({name, measure.unit, *figure, measure.resolution});
            }
        }
        const bool shows_speed = kind.floor != nullptr &&
                                 (kind.floor_peer == nullptr || each.at("peer") == kind.floor_peer);
        if (const auto floor = shows_speed ? figure_at(each, kind.floor) : std::nullopt) {
            evidence.floors[name] = *floor;
        }
    }
    return evidence;
}

double drift_of_floors(const Evidence& evidence) {
    std::vector<Figure> floors;
    for (const auto& [name, floor] : evidence.floors) {
        floors.push_back(floor);
    }
    return drift_of(floors);
}

// How far the medians of the same floors lie apart.
double between(const Evidence& before, const Evidence& after) {
    std::vector<Figure> pairs;
    for (const auto& [name, floor] : after.floors) {
        if (const auto was = before.floors.find(name); was != before.floors.end()) {
            const auto [low, high] = std::minmax(was->second.median, floor.median);
            pairs.push_back({low, low, high});
        }
    }
    return drift_of(pairs);
}

} // namespace

Result<Evidence> read_evidence(const Json& document) {
    if (!document.is_object() || !document.contains("schema")) {
        return fail("no result of `weir bench`: no JSON, or without \"schema\"");
    }
    const Json said = document.value("kind", Json(""));
    const auto name = said.is_string() ? said.get<std::string>() : said.dump();
    const auto kind = std::find_if(kinds().begin(), kinds().end(),
                                   [&](const ComparedKind& each) { return each.name == name; });
    if (kind == kinds().end() || document["schema"] != kResultSchema) {
        return fail(fmt::format("a result of kind '{}', schema {}: expected run, net, apps, "
                                "control or trace, schema {}",
                                name, document["schema"].dump(), kResultSchema));
    }
    try {
        return evidence_of(*kind, document);
    } catch (const Json::exception& error) {
        return fail(fmt::format("not as `weir bench {}` writes it: {}", name, error.what()));
    }
}

double drift_of(const Json& document) {
    const auto evidence = read_evidence(document);
    return evidence ? drift_of_floors(*evidence) : 0;
}

double Comparison::allowed() const {
    return std::max({before, after, between});
}

std::size_t Comparison::moved() const {
    return static_cast<std::size_t>(std::count_if(changes.begin(), changes.end(),
                                                  [](const Change& each) { return each.moved; }));
}

Comparison compare(const Evidence& before, const Evidence& after) {
    Comparison comparison{
        after.kind, drift_of_floors(before), drift_of_floors(after), between(before, after), {}};
    std::map<std::pair<std::string, std::string>, const Quantity*> old;
    for (const Quantity& each : before.quantities) {
        old[{each.of, each.what}] = &each;
    }
    for (const Quantity& each : after.quantities) {
        if (const auto was = old.find({each.of, each.what}); was != old.end()) {
            comparison.changes.push_back(
                {*was->second, each.figure,
                 moved(was->second->figure, each.figure, comparison.allowed(), each.resolution)});
        }
    }
    return comparison;
}

} // namespace weir::bench
