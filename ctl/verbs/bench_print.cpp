#include "verbs/bench_print.h"

#include <fmt/format.h>
#include <optional>

#include "verbs/words.h"

namespace weir::verbs {
namespace {

using Figures = std::map<std::string, bench::Figure>;

std::string answers(const bench::CaseResult& each) {
    std::string text;
    for (int action = -1; action < REARM_ANSWERS - 1; action++) {
        const std::uint64_t laps = each.measured->tally.of(action);
        if (laps > 0) {
            text += fmt::format("{}{} {}", text.empty() ? "" : ", ",
                                bench::action_name(each.type, action), laps);
        }
    }
    return text;
}

// "was 81: +12 %", "" where it did not move beyond the noise.
std::string move(const bench::CaseResult& each, const Figures& before) {
    const auto was = before.find(each.name);
    if (was == before.end()) {
        return "new";
    }
    if (!bench::moved(was->second, each.measured->net)) {
        return "";
    }
    const double change = each.measured->net.median - was->second.median;
    return fmt::format("was {:.0f}: {:+.0f} ns", was->second.median, change);
}

output::Table table_of(const bench::RunResult& result, const std::optional<Figures>& before) {
    std::vector<output::Column> columns = {{"scenario"},
                                           {"ns/packet", output::Align::kRight},
                                           {"quartiles", output::Align::kRight},
                                           {"answers"}};
    if (before) {
        columns.push_back({"moved"});
    }
    output::Table table(columns);
    for (const bench::CaseResult& each : result.cases) {
        if (!each.measured) {
            table.row({each.name, "-", "-", "refused: " + each.refused});
            continue;
        }
        const bench::Figure& net = each.measured->net;
        std::vector<std::string> row = {each.name, fmt::format("{:.0f}", net.median),
                                        fmt::format("{:.0f}-{:.0f}", net.lower, net.upper),
                                        answers(each)};
        if (before) {
            row.push_back(move(each, *before));
        }
        table.row(row);
    }
    return table;
}

output::Table programs_of(const bench::RunResult& result) {
    output::Table table({{"program"},
                         {"tag"},
                         {"verified insns", output::Align::kRight},
                         {"JITed bytes", output::Align::kRight}});
    for (const bench::ProgramSize& program : result.programs) {
        table.row({program.name, program.tag, std::to_string(program.verified_insns),
                   std::to_string(program.jited_bytes)});
    }
    return table;
}

output::Table memory_of(const bench::RunResult& result) {
    output::Table table({{"memory of a"}, {"bytes", output::Align::kRight}, {"in"}});
    for (const bench::MemoryCost& each : result.memory) {
        table.row({each.what, fmt::format("{:.0f}", each.bytes), each.of});
    }
    return table;
}

} // namespace

Result<> print_run(Context& cx, const bench::RunResult& result, const std::string& baseline) {
    std::optional<Figures> before;
    if (!baseline.empty()) {
        WEIR_TRY(const std::string text, read_file(baseline));
        auto figures = bench::net_figures(text);
        if (!figures) {
            return fail(std::move(figures).error().while_(baseline));
        }
        before = *std::move(figures);
    }
    std::string text =
        fmt::format("{}, kernel {}, {} x {}\n\n{}\n{}", result.origin.weir, result.origin.kernel,
                    result.origin.cpus, result.origin.processor,
                    table_of(result, before).to_string(), programs_of(result).to_string());
    if (!result.memory.empty()) {
        text += "\n" + memory_of(result).to_string();
    }
    cx.out.text(text);
    cx.out.document(bench::to_json(result));
    return {};
}

} // namespace weir::verbs
