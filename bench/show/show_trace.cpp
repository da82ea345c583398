#include <fmt/format.h>

#include <algorithm>

#include "bench/show/figure_text.h"
#include "bench/show/markdown.h"
#include "bench/show/show_kinds.h"
#include "bench/show/show_parts.h"

// What `weir bench trace` found.
namespace weir::bench {
namespace {

std::string said(const Json& each, const char* key) {
    return each.at(key).get<std::string>();
}

// Bars by back end and recipe, Weir's beside the others'.
Plot costs(const Cases& cases, const std::string& unit) {
    Plot plot{.name = "costs",
              .title = "What a probe costs",
              .y_label = unit + " a hit, median and quartiles",
              .series = {{"weir", {}, 0}, {"bpftrace", {}, 1}}};
    for (const Json& each : cases) {
        if (each.contains("refused")) {
            continue;
        }
        const std::string group = said(each, "backend") + ", " + said(each, "recipe");
        if (plot.groups.empty() || plot.groups.back() != group) {
            plot.groups.push_back(group);
        }
        plot.series[said(each, "peer") == "weir" ? 0 : 1].points.push_back(
            {static_cast<double>(plot.groups.size() - 1), figure_from(each.at("cost"))});
    }
    std::erase_if(plot.series, [](const Series& series) { return series.points.empty(); });
    return plot;
}

Section probes(const Cases& cases, const std::string& unit) {
    markdown::Table table({{"back end"},
                           {"recipe"},
                           {"by"},
                           {unit, true},
                           {"quartiles", true},
                           {"to Weir's", true},
                           {"quartiles", true},
                           {"what"}});
    for (const Json& each : cases) {
        if (each.contains("refused")) {
            continue;
        }
        const Figure cost = figure_from(each.at("cost"));
        std::string ratio, spread;
        if (each.contains("ratio")) {
            ratio = median(figure_from(each["ratio"]));
            spread = quartiles(figure_from(each["ratio"]));
        }
        table.row({said(each, "backend"), said(each, "recipe"), said(each, "peer"), median(cost),
                   quartiles(cost), ratio, spread, said(each, "what")});
    }
    Section section{.title = "Probes, by way of attaching",
                    .markdown = fmt::format(
                        "By how many {} what is probed takes longer, for each time: "
                        "the way into the probe, and\nwhat is done there. Under "
                        "emulation only ratios mean something{}.\n\n{}{}",
                        unit, unit == "ns" ? "" : ", and counts of instructions",
                        table.empty() ? "" : table.to_string(), refusal_list(refusals_of(cases)))};
    if (Plot plot = costs(cases, unit); !plot.groups.empty()) {
        section.plots.push_back(std::move(plot));
    }
    return section;
}

Section rates(const Json& result) {
    Section section{.title = "Events a second, before some are lost"};
    markdown::Table table({{"ring, octets", true},
                           {"event, octets", true},
                           {"events a second, none lost", true},
                           {"the first rate that lost some", true}});
    for (const Json& each : result.at("rates")) {
        table.row({readable(each.at("ring_octets").get<double>()),
                   readable(each.at("event_octets").get<double>()),
                   readable(each.at("kept").get<double>()),
                   each.contains("lost") ? readable(each["lost"].get<double>())
                                         : "none: the source gives no more"});
    }
    section.markdown = table.empty()
                           ? "Not measured: " + markdown::text(result.value("no_rates", "")) + "\n"
                           : "Made on one CPU, read on another.\n\n" + table.to_string();
    return section;
}

} // namespace

std::vector<Section> trace_sections(const Json& result) {
    return {probes(result.at("cases").get<Cases>(), result.at("unit").get<std::string>()),
            rates(result)};
}

} // namespace weir::bench
