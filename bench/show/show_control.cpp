#include <fmt/format.h>

#include "bench/show/figure_text.h"
#include "bench/show/markdown.h"
#include "bench/show/show_kinds.h"
#include "bench/show/show_parts.h"

// What `weir bench control` found.
namespace weir::bench {
namespace {

Plot times(const Cases& cases) {
    Plot plot{.name = "times",
              .title = "How long a change takes",
              .y_label = "ms, median and quartiles",
              .log_y = true,
              .series = {{""}}};
    for (const Json& each : cases) {
        if (each.contains("refused")) {
            continue;
        }
        plot.series[0].points.push_back(
            {static_cast<double>(plot.groups.size()), figure_from(each.at("ms"))});
        plot.groups.push_back(name_of(each));
    }
    return plot;
}

Section changes(const Cases& cases) {
    markdown::Table table({{"change"}, {"ms", true}, {"quartiles", true}, {"what"}});
    for (const Json& each : cases) {
        const auto what = each.at("what").get<std::string>();
        if (each.contains("refused")) {
            table.row({name_of(each), "refused", "", what});
            continue;
        }
        const Figure ms = figure_from(each.at("ms"));
        table.row({name_of(each), median(ms), quartiles(ms), what});
    }
    Section section{.title = "Changes of the configuration",
                    .markdown = "From the words of the configuration to the packets' meeting it: "
                                "the median over rounds,\nand its quartiles.\n\n" +
                                table.to_string() + refusal_list(refusals_of(cases))};
    if (Plot plot = times(cases); !plot.groups.empty()) {
        section.plots.push_back(std::move(plot));
    }
    return section;
}

Section under_traffic(const Json& found) {
    const auto mixed = found.at("mixed").get<std::uint64_t>();
    return {.title = "Under traffic",
            .markdown = fmt::format(
                "{} changes were made while {} packets ran, each of which is answered otherwise if "
                "it meets\nthe rules of one generation and the sets of another: {} of them.\n",
                readable(found.at("generations").get<double>()),
                readable(found.at("packets").get<double>()),
                mixed == 0 ? "none" : readable(static_cast<double>(mixed)))};
}

} // namespace

std::vector<Section> control_sections(const Json& result) {
    std::vector<Section> sections;
    if (const Cases cases = result.at("cases").get<Cases>(); !cases.empty()) {
        sections.push_back(changes(cases));
    }
    sections.push_back(under_traffic(result.at("under_traffic")));
    return sections;
}

} // namespace weir::bench
