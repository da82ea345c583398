#include <fmt/format.h>

#include <algorithm>

#include "bench/show/frame.h"
#include "bench/show/markdown.h"
#include "bench/show/show_kinds.h"
#include "bench/show/show_parts.h"

// What `weir bench run` found, by subject.
namespace weir::bench {
namespace {

constexpr const char* kCost = "ns per packet";

// --- plots --------------------------------------------------------------------------------------

Frame frame(std::string name, std::string title, std::string x_label) {
    return Frame({.name = std::move(name),
                  .title = std::move(title),
                  .x_label = std::move(x_label),
                  .y_label = kCost,
                  .log_x = true});
}

Frame sets_frame() {
    Frame made = frame("sets", "Named sets: cost against elements", "elements of the set");
    for (const int family : {4, 6}) {
        const std::size_t colour = family == 4 ? 0 : 1;
        made.add(fmt::format("set{}-hit", family),
                 {fmt::format("IPv{}, found", family), {}, colour, false});
        made.add(fmt::format("set{}-miss", family),
                 {fmt::format("IPv{}, not found", family), {}, colour, true});
    }
    return made;
}

Frame flows_frame() {
    Frame made = frame("flows", "Known flows: cost against flows", "flows, by turns");
    made.add("whole", {"firewall and balancer", {}, 1, false});
    made.add("lb-flows", {"balancer", {}, 0, false});
    return made;
}

Frame services_frame() {
    Frame made =
        frame("services", "Load balancer: cost against services, 10,000 flows", "services");
    made.add("lb-services", {"balancer", {}, 0, false});
    return made;
}

// Of a series that has no plot of its own here.
Frame unnamed_frame(const std::string& series) {
    Frame made = frame("series-" + series, series, series);
    made.add(series, {series, {}, 0, false});
    return made;
}

std::vector<Plot> line_plots(const Cases& cases, std::vector<Frame> frames) {
    for (const Json& each : cases) {
        if (!each.contains("series") || !each.contains("net_ns")) {
            continue;
        }
        const auto series = each.at("series").get<std::string>();
        auto has = std::find_if(frames.begin(), frames.end(),
                                [&](const Frame& frame) { return frame.has(series); });
        if (has == frames.end()) {
            has = frames.insert(has, unnamed_frame(series));
        }
        has->point(series, {each.at("x").get<double>(), figure_from(each.at("net_ns"))});
    }
    return filled(frames);
}

// Ways to forward: cases lb-WAY-hit and lb-WAY-syn, whose sentences begin "Way: ".
std::vector<Plot> forwarding_plot(const Cases& cases) {
    Plot plot{.name = "forwarding",
              .title = "Load balancer: ways to forward",
              .y_label = kCost,
              .series = {{"a known flow", {}, 0, false}, {"SYNs of 10,000 flows", {}, 1, false}}};
    for (const Json& each : cases) {
        const std::string name = name_of(each);
        const bool hit = name.ends_with("-hit");
        if (!name.starts_with("lb-") || !(hit || name.ends_with("-syn")) ||
            !each.contains("net_ns")) {
            continue;
        }
        const auto what = each.at("what").get<std::string>();
        const std::string way = what.substr(0, what.find(": "));
        if (plot.groups.empty() || plot.groups.back() != way) {
            plot.groups.push_back(way);
        }
        plot.series[hit ? 0 : 1].points.push_back(
            {static_cast<double>(plot.groups.size() - 1), figure_from(each.at("net_ns"))});
    }
    std::erase_if(plot.series, [](const Series& series) { return series.points.empty(); });
    return plot.series.empty() ? std::vector<Plot>{} : std::vector<Plot>{plot};
}

// --- subjects -----------------------------------------------------------------------------------

struct Subject {
    const char* title;
    std::vector<std::string_view> names; // beginnings of its scenarios' names
    std::vector<Frame> frames = {};
};

std::vector<Subject> subjects() {
    return {
        {"Entering, parsing, counting", {"count", "parse-"}},
        {"Firewall, IPv4", {"fw4-"}, {rules_frame(4, kCost)}},
        {"Firewall, IPv6", {"fw6-"}, {rules_frame(6, kCost)}},
        {"Named sets", {"set4-", "set6-"}, {sets_frame()}},
        {"Load balancer, and the whole path", {"lb-", "whole"}, {flows_frame(), services_frame()}},
        {"TC", {"tc-"}},
        {"Others", {""}}};
}

std::string answers(const Json& each) {
    std::string names;
    for (const auto& [name, laps] : each.at("answers").items()) {
        names += (names.empty() ? "" : ", ") + name;
    }
    return names;
}

std::string scenario_table(const Cases& cases) {
    markdown::Table table({{"scenario"}, {kCost, true}, {"quartiles", true}, {"answer"}, {"what"}});
    for (const Json& each : cases) {
        const auto what = each.at("what").get<std::string>();
        if (each.contains("refused")) {
            table.row({name_of(each), "refused", "", "", what});
            continue;
        }
        const Figure net = figure_from(each.at("net_ns"));
        table.row({name_of(each), fmt::format("{:.0f}", net.median),
                   fmt::format("{:.0f}–{:.0f}", net.lower, net.upper), answers(each), what});
    }
    return table.to_string() + refusal_list(refusals_of(cases));
}

Section programs(const Json& result) {
    markdown::Table table({{"program"}, {"tag"}, {"verified insns", true}, {"JITed bytes", true}});
    for (const Json& each : result.at("programs")) {
        table.row({name_of(each), each.at("tag").get<std::string>(),
                   std::to_string(each.at("verified_insns").get<std::uint64_t>()),
                   std::to_string(each.at("jited_bytes").get<std::uint64_t>())});
    }
    return {.title = "Programs",
            .markdown =
                "Instructions are those that the verifier looked at.\n\n" + table.to_string()};
}

Section memory(const Json& result) {
    markdown::Table table({{"one more"}, {"octets", true}, {"in"}});
    for (const Json& each : result.at("memory")) {
        table.row({each.at("of").get<std::string>(),
                   fmt::format("{:.0f}", each.at("bytes").get<double>()),
                   each.at("maps").get<std::string>()});
    }
    return {.title = "Memory",
            .markdown = "Of the kernel's memory, as it accounts the maps that are named.\n\n" +
                        table.to_string()};
}

Section figures() {
    return {.title = "The figures",
            .markdown =
                "Nanoseconds that a packet spends in the program: the median over rounds, and its "
                "quartiles.\nEach round's figure is its run around the program less its run around "
                "an empty one; the packet is\nrestored before every lap. *Answer*: what every lap "
                "was answered.\n"};
}

} // namespace

std::vector<Section> run_sections(const Json& result) {
    std::vector<Section> sections;
    Cases left = result.at("cases").get<Cases>();
    for (Subject& subject : subjects()) {
        const auto others = std::stable_partition(left.begin(), left.end(), [&](const Json& each) {
            return std::any_of(subject.names.begin(), subject.names.end(),
                               [&](auto name) { return name_of(each).starts_with(name); });
        });
        const Cases cases(left.begin(), others);
        left.erase(left.begin(), others);
        if (cases.empty()) {
            continue;
        }
        std::vector<Plot> plots = forwarding_plot(cases);
        for (Plot& plot : line_plots(cases, std::move(subject.frames))) {
            plots.push_back(std::move(plot));
        }
        sections.push_back({subject.title, std::move(plots), scenario_table(cases)});
    }
    sections.push_back(programs(result));
    if (!result.at("memory").empty()) {
        sections.push_back(memory(result));
    }
    sections.insert(sections.begin(), figures());
    return sections;
}

} // namespace weir::bench
