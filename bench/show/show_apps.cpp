#include <fmt/format.h>

#include <algorithm>

#include "bench/show/figure_text.h"
#include "bench/show/markdown.h"
#include "bench/show/show_kinds.h"
#include "bench/show/show_parts.h"

// What `weir bench apps` found, by application.
namespace weir::bench {
namespace {

std::string way_of(const Json& each) {
    const auto peer = each.at("peer").get<std::string>();
    return each.at("mode") == "stack"
               ? peer
               : fmt::format("{}, {}", peer, each["mode"].get<std::string>());
}

bool is_bulk(const Json& each) {
    return each.contains("bits_per_second");
}

// Gbit/s, or requests per second.
Figure rate_of(const Json& each) {
    constexpr double kGiga = 1e9;
    if (!is_bulk(each)) {
        return figure_from(each.at("requests_per_second"));
    }
    const Figure bits = figure_from(each["bits_per_second"]);
    return {bits.median / kGiga, bits.lower / kGiga, bits.upper / kGiga};
}

Plot bars(const std::string& name, const std::string& title, const std::string& label) {
    return {.name = name, .title = title, .y_label = label};
}

Plot rates(const std::string& application, const Cases& cases) {
    Plot plot = bars(application + "-rate", application + ": through the VIP, and past the device",
                     is_bulk(cases.front()) ? "Gbit/s" : "requests per second");
    plot.series = {{""}};
    for (const Json& each : cases) {
        plot.series[0].points.push_back({static_cast<double>(plot.groups.size()), rate_of(each)});
        plot.groups.push_back(way_of(each));
    }
    return plot;
}

Plot latencies(const std::string& application, const Cases& cases) {
    Plot plot = bars(application + "-latency", application + ": time to the answer", "us");
    plot.log_y = true;
    plot.series = {{"50 % of the requests within", {}, 0}, {"99 % of the requests within", {}, 1}};
    for (const Json& each : cases) {
        const auto group = static_cast<double>(plot.groups.size());
        const Json& latency = each.at("latency_us");
        plot.series[0].points.push_back({group, figure_from(latency.at("50"))});
        plot.series[1].points.push_back({group, figure_from(latency.at("99"))});
        plot.groups.push_back(way_of(each));
    }
    return plot;
}

std::string way_table(const Cases& cases) {
    std::vector<markdown::Column> columns = {
        {"way"},
        {is_bulk(cases.front()) ? "Gbit/s" : "requests/s", true},
        {"quartiles", true},
        {"to direct", true},
        {"quartiles", true}};
    const Json percentiles = cases.front().value("latency_us", Json::object());
    for (const auto& [percent, figure] : percentiles.items()) {
        columns.push_back({fmt::format("p{} us", percent), true});
    }
    markdown::Table table(std::move(columns));
    for (const Json& each : cases) {
        const Figure rate = rate_of(each);
        std::vector<std::string> row = {way_of(each), median(rate), quartiles(rate), "", ""};
        if (each.contains("ratio")) {
            const Figure ratio = figure_from(each["ratio"]);
            row[3] = median(ratio);
            row[4] = quartiles(ratio);
        }
        for (const auto& [percent, figure] : percentiles.items()) {
            row.push_back(median(figure_from(each.at("latency_us").at(percent))));
        }
        table.row(row);
    }
    return table.to_string();
}

Section section(const std::string& application, const Cases& all) {
    Cases cases;
    std::copy_if(all.begin(), all.end(), std::back_inserter(cases),
                 [](const Json& each) { return !each.contains("refused"); });
    Section made{.title = application, .markdown = refusal_list(refusals_of(all))};
    if (!cases.empty()) {
        made.markdown.insert(0, way_table(cases));
        made.plots.push_back(rates(application, cases));
        if (!is_bulk(cases.front())) {
            made.plots.push_back(latencies(application, cases));
        }
    }
    return made;
}

} // namespace

std::vector<Section> apps_sections(const Json& result) {
    std::vector<Section> sections = {
        {.title = "The figures",
         .markdown =
             "Clients run on one CPU, servers on another. Frames are what they would be on a wire: "
             "no interface\nleaves segmentation or checksums to a driver. *Direct* goes past the "
             "device; answers do too, but for\nDNAT's. Medians over rounds, with quartiles; *to "
             "direct* is the ratio of the rates, round by round.\n"}};
    std::vector<std::pair<std::string, Cases>> applications;
    for (const Json& each : result.at("cases")) {
        const auto name = each.at("application").get<std::string>();
        if (applications.empty() || applications.back().first != name) {
            applications.emplace_back(name, Cases{});
        }
        applications.back().second.push_back(each);
    }
    for (const auto& [name, cases] : applications) {
        sections.push_back(section(name, cases));
    }
    return sections;
}

} // namespace weir::bench
