#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <set>

#include "bench/show/figure_text.h"
#include "bench/show/frame.h"
#include "bench/show/markdown.h"
#include "bench/show/show_kinds.h"
#include "bench/show/show_parts.h"

// What `weir bench net` found, by job.
namespace weir::bench {
namespace {

constexpr std::size_t kWeirColour = 0, kPeerColour = 1, kFloorColour = 6;

std::string peer_of(const Json& each) {
    return each.at("peer").get<std::string>();
}
std::string mode_of(const Json& each) {
    return each.at("mode").get<std::string>();
}
std::string device_of(const Json& each) {
    return peer_of(each) + ", " + mode_of(each);
}
bool is_weir(const Json& each) {
    return peer_of(each).starts_with("weir");
}
bool is_floor(const Json& each) {
    return peer_of(each) == "empty-xdp";
}
double size_of(const Json& each) {
    return each.at("size").get<double>();
}
std::string octets_of(const Json& each) {
    return fmt::format("{:.0f}", size_of(each));
}
std::uint32_t cpus_of(const Json& each) {
    return each.value("cpus", 1U);
}

Cases only(const Cases& cases, const std::function<bool(const Json&)>& wanted) {
    Cases some;
    std::copy_if(cases.begin(), cases.end(), std::back_inserter(some), wanted);
    return some;
}

Cases measured(const Cases& cases) {
    return only(cases, [](const Json& each) { return !each.contains("refused"); });
}

// Of each size Weir, its peers, the floor; these as the document has them.
Cases side_by_side(Cases cases) {
    const auto place = [](const Json& each) {
        return std::pair(size_of(each), is_weir(each) ? 0 : is_floor(each) ? 2 : 1);
    };
    std::stable_sort(cases.begin(), cases.end(),
                     [&](const Json& a, const Json& b) { return place(a) < place(b); });
    return cases;
}

std::vector<std::string> jobs_of(const Cases& cases) {
    std::vector<std::string> jobs;
    for (const Json& each : cases) {
        const auto job = each.at("job").get<std::string>();
        if (std::find(jobs.begin(), jobs.end(), job) == jobs.end()) {
            jobs.push_back(job);
        }
    }
    return jobs;
}

Cases of_smallest_size(const Cases& cases) {
    double smallest = std::numeric_limits<double>::max();
    for (const Json& each : cases) {
        smallest = std::min(smallest, size_of(each));
    }
    return only(cases, [&](const Json& each) { return size_of(each) == smallest; });
}

// --- plots --------------------------------------------------------------------------------------

Figure millions(const Figure& figure) {
    return {figure.median / 1e6, figure.lower / 1e6, figure.upper / 1e6};
}

// A line for each device: a peer's native and generic ones share their colour.
std::vector<Plot> throughput(const std::string& job, const Cases& cases) {
    Frame frame({.name = job + "-throughput",
                 .title = job + ": throughput against size, one CPU",
                 .x_label = "octets of a frame",
                 .y_label = "million packets per second"});
    std::vector<std::string> peers;
    std::set<double> sizes;
    for (const Json& each : cases) {
        const std::string peer = peer_of(each), device = device_of(each);
        auto known = std::find(peers.begin(), peers.end(), peer);
        if (known == peers.end()) {
            known = peers.insert(known, peer);
        }
        if (!frame.has(device)) {
            const auto colour =
                is_floor(each) ? kFloorColour : static_cast<std::size_t>(known - peers.begin());
            frame.add(device, {device, {}, colour, mode_of(each) == "generic"});
        }
        frame.point(device, {size_of(each), millions(figure_from(each.at("packets_per_second")))});
        sizes.insert(size_of(each));
    }
    return sizes.size() > 1 ? filled({frame}) : std::vector<Plot>{};
}

Plot costs(const std::string& job, const Cases& cases) {
    Plot plot{.name = job + "-cost",
              .title =
                  fmt::format("{}: cost of a frame of {} octets", job, octets_of(cases.front())),
              .y_label = "ns of CPU per packet, generator and sink included",
              .series = {{"Weir", {}, kWeirColour},
                         {"its peers", {}, kPeerColour},
                         {"an empty program", {}, kFloorColour}}};
    for (const Json& each : cases) {
        plot.series[is_weir(each)    ? 0
                    : is_floor(each) ? 2
                                     : 1]
            .points.push_back(
                {static_cast<double>(plot.groups.size()), figure_from(each.at("cpu_ns"))});
        plot.groups.push_back(device_of(each));
    }
    std::erase_if(plot.series, [](const Series& series) { return series.points.empty(); });
    return plot;
}

std::vector<Plot> plots(const std::string& job, const Cases& cases) {
    std::vector<Plot> all;
    if (!cases.empty()) {
        all = throughput(job, cases);
        all.push_back(costs(job, of_smallest_size(cases)));
    }
    return all;
}

Plot efficiency(const Cases& cases) {
    Plot plot{.name = "scaling",
              .title =
                  fmt::format("Efficiency of several CPUs, {:.0f} octets", size_of(cases.front())),
              .y_label = "efficiency: 1 is the sum of what each CPU does alone"};
    for (const Json& each : cases) {
        const std::string group =
            fmt::format("{}: {}", each.at("job").get<std::string>(), device_of(each));
        if (plot.groups.empty() || plot.groups.back() != group) {
            plot.groups.push_back(group);
        }
        const std::string title = fmt::format("{} CPUs", cpus_of(each));
        auto series = std::find_if(plot.series.begin(), plot.series.end(),
                                   [&](const Series& one) { return one.title == title; });
        if (series == plot.series.end()) {
            series = plot.series.insert(series, {title, {}, plot.series.size()});
        }
        series->points.push_back(
            {static_cast<double>(plot.groups.size() - 1), figure_from(each.at("efficiency"))});
    }
    return plot;
}

// --- tables -------------------------------------------------------------------------------------

std::vector<std::string> figure_cells(const Json& each, const char* key) {
    if (!each.contains(key)) {
        return {"", ""};
    }
    const Figure figure = figure_from(each[key]);
    return {median(figure), quartiles(figure)};
}

std::string peer_table(const Cases& cases) {
    markdown::Table table({{"peer"},
                           {"mode"},
                           {"octets", true},
                           {"packets/s", true},
                           {"ns/packet", true},
                           {"quartiles", true},
                           {"to floor", true},
                           {"quartiles", true}});
    for (const Json& each : cases) {
        std::vector<std::string> row = {peer_of(each), mode_of(each), octets_of(each),
                                        median(figure_from(each.at("packets_per_second")))};
        for (const char* const key : {"cpu_ns", "ratio"}) {
            const auto cells = figure_cells(each, key);
            row.insert(row.end(), cells.begin(), cells.end());
        }
        table.row(row);
    }
    return table.empty() ? "" : table.to_string();
}

// A peer that cannot is refused at every size: "ipvs, stack (64, 512 octets)".
std::string missing(const Cases& cases) {
    std::vector<Refusal> refusals; // by device and reason; named without octets
    std::vector<std::string> octets;
    for (const Json& each : cases) {
        if (!each.contains("refused")) {
            continue;
        }
        const Refusal refusal{device_of(each), each["refused"].get<std::string>()};
        const auto known = std::find(refusals.begin(), refusals.end(), refusal);
        if (known == refusals.end()) {
            refusals.push_back(refusal);
            octets.push_back(octets_of(each));
        } else {
            octets[static_cast<std::size_t>(known - refusals.begin())] += ", " + octets_of(each);
        }
    }
    for (std::size_t i = 0; i < refusals.size(); i++) {
        refusals[i].name += fmt::format(" ({} octets)", octets[i]);
    }
    return refusal_list(refusals);
}

Section job_section(const std::string& job, const std::string& what, const Cases& all) {
    const Cases cases = side_by_side(all);
    return {job + (what.empty() ? "" : ": " + what), plots(job, measured(cases)),
            peer_table(measured(cases)) + missing(cases)};
}

Section scaling(const Cases& cases) {
    Section section{.title = "Scaling"};
    markdown::Table table({{"job"},
                           {"peer"},
                           {"mode"},
                           {"octets", true},
                           {"CPUs", true},
                           {"packets/s", true},
                           {"efficiency", true},
                           {"quartiles", true}});
    const Cases figures = measured(cases);
    for (const Json& each : figures) {
        std::vector<std::string> row = {each.at("job").get<std::string>(),
                                        peer_of(each),
                                        mode_of(each),
                                        octets_of(each),
                                        std::to_string(cpus_of(each)),
                                        median(figure_from(each.at("packets_per_second")))};
        const auto cells = figure_cells(each, "efficiency");
        row.insert(row.end(), cells.begin(), cells.end());
        table.row(row);
    }
    section.markdown = "Efficiency: the rate of several CPUs, divided by the sum of what each of "
                       "them does alone.\n\n" +
                       (table.empty() ? "" : table.to_string()) + missing(cases);
    const Cases plotted = of_smallest_size(
        only(figures, [](const Json& each) { return each.contains("efficiency"); }));
    if (!plotted.empty()) {
        section.plots.push_back(efficiency(plotted));
    }
    return section;
}

Section peers(const Cases& cases) {
    markdown::Table table({{"peer"}, {"what"}});
    std::set<std::string> known;
    for (const Json& each : cases) {
        if (known.insert(peer_of(each)).second) {
            table.row({peer_of(each), each.at("what").get<std::string>()});
        }
    }
    return {.title = "Peers", .markdown = table.to_string()};
}

// --- counts -------------------------------------------------------------------------------------

struct Counted {
    std::uint64_t figures = 0;
    std::uint64_t generator = 0, device = 0, sink = 0;
    std::uint64_t forwarded = 0; // by the generator, in cases whose frames reach a sink
    std::uint64_t disagree = 0;  // cases
    std::uint64_t repeated = 0;  // rounds
};

Counted count(const Cases& cases) {
    Counted all;
    for (const Json& each : cases) {
        const Json& counts = each.at("counts");
        const auto generator = counts.at("generator").get<std::uint64_t>();
        const auto device = counts.at("device").get<std::uint64_t>();
        const auto sink = counts.at("sink").get<std::uint64_t>();
        const bool agree = device == generator && counts.value("handled", generator) == generator &&
                           (sink == 0 || sink == generator) &&
                           counts.at("unaccounted").get<std::int64_t>() == 0;
        all.figures++;
        all.generator += generator;
        all.device += device;
        all.sink += sink;
        all.forwarded += sink > 0 ? generator : 0;
        all.disagree += agree ? 0 : 1;
        all.repeated += each.value("repeated", 0U);
    }
    return all;
}

std::string counts_sentence(const Counted& all) {
    const auto text = [](std::uint64_t frames) { return readable(static_cast<double>(frames)); };
    const std::string repeated =
        all.repeated == 0
            ? ""
            : fmt::format(" Rounds that did not agree and were taken again: {}.", all.repeated);
    return fmt::format(
        "In {} figures the generators sent {} frames, the devices' interfaces counted {}, and the "
        "sinks {}\nof the {} that were handed on. {}{}\n",
        all.figures, text(all.generator), text(all.device), text(all.sink), text(all.forwarded),
        all.disagree == 0 ? "In each the counts agree to the frame, with the device's own books "
                            "where it keeps them."
                          : fmt::format("In {} the counts disagree.", all.disagree),
        repeated);
}

Section figures(const Cases& cases) {
    return {.title = "The figures",
            .markdown = "*ns/packet* is the time of one CPU from the generator to the sink, *to "
                        "floor* its ratio, round by\nround, to a program that only counts and "
                        "drops or redirects; medians over rounds, with quartiles.\n\n" +
                        counts_sentence(count(measured(cases)))};
}

} // namespace

std::vector<Section> net_sections(const Json& result) {
    const Cases cases = result.at("cases").get<Cases>();
    const Cases one_cpu = only(cases, [](const Json& each) { return cpus_of(each) == 1; });
    const Cases several = only(cases, [](const Json& each) { return cpus_of(each) > 1; });
    std::vector<Section> sections = {figures(cases), peers(cases)};
    const Json& words = result.at("options").at("jobs");
    for (const std::string& job : jobs_of(one_cpu)) {
        const Cases its = only(one_cpu, [&](const Json& each) { return each.at("job") == job; });
        sections.push_back(job_section(job, words.value(job, ""), its));
    }
    if (!several.empty()) {
        Cases by_job;
        for (const std::string& job : jobs_of(several)) {
            const Cases its = side_by_side(
                only(several, [&](const Json& each) { return each.at("job") == job; }));
            by_job.insert(by_job.end(), its.begin(), its.end());
        }
        sections.push_back(scaling(by_job));
    }
    return sections;
}

} // namespace weir::bench
