#include <fmt/format.h>

#include <map>

#include "bench/show/figure_text.h"
#include "bench/show/frame.h"
#include "bench/show/markdown.h"
#include "bench/show/show_kinds.h"

// The table that `weir bench insns` keeps, kernel by kernel.
namespace weir::bench {
namespace {

// Of scenarios "fw4-100-last", "fw4-hard-1000-miss": series "fw4-last" at 100, …
std::vector<Plot> against_rules(const Json& counts, const std::string& kernel) {
    Frame frame = rules_frame(4, "instructions per packet");
    frame.plot().name = "rules-ipv4-" + kernel;
    frame.plot().title += ", kernel " + kernel;
    for (const auto& [name, count] : counts.items()) {
        const std::size_t digits = name.find_first_of("0123456789", 3); // behind "fw4"
        const std::size_t end = name.find('-', digits);
        if (!name.starts_with("fw4-") || end == std::string::npos) {
            continue;
        }
        const std::string series = name.substr(0, digits) + name.substr(end + 1);
        if (frame.has(series)) {
            const double instructions = count.get<double>();
            frame.point(series, {std::stod(name.substr(digits, end - digits)),
                                 {instructions, instructions, instructions}});
        }
    }
    return filled({frame});
}

} // namespace

std::vector<Section> instructions_sections(const Json& result) {
    const Json& kernels = result.at("kernels");
    std::vector<markdown::Column> columns = {{"scenario"}};
    std::map<std::string, std::vector<std::string>> rows; // by scenario
    std::string releases;
    for (const auto& [series, figures] : kernels.items()) {
        releases += fmt::format("{}{}", releases.empty() ? "" : ", ",
                                figures.at("release").get<std::string>());
        columns.push_back({series, true});
        for (const auto& [name, count] : figures.at("instructions").items()) {
            auto& row = rows.try_emplace(name, std::vector<std::string>{name}).first->second;
            row.resize(columns.size() - 1);
            row.push_back(readable(count.get<double>()));
        }
    }
    markdown::Table table(std::move(columns));
    for (const auto& [name, row] : rows) {
        table.row(row);
    }
    Section section{
        .title = "Executed instructions of a packet, by scenario and kernel",
        .markdown = fmt::format("Counted by QEMU's clock, in the program alone, under the kernels "
                                "{} (x86-64): the same in\nevery run but for the seeds of hash "
                                "tables.\n\n{}",
                                markdown::text(releases), table.empty() ? "" : table.to_string())};
    for (const auto& [series, figures] : kernels.items()) {
        for (Plot& plot : against_rules(figures.at("instructions"), series)) {
            section.plots.push_back(std::move(plot));
        }
    }
    return {section};
}

} // namespace weir::bench
