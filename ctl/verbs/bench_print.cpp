#include "verbs/bench_print.h"

#include <algorithm>
#include <fmt/format.h>
#include <optional>

#include "verbs/bench_words.h"

namespace weir::verbs {
namespace {

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
std::string move(const bench::CaseResult& each, const bench::Baseline& before, double drift) {
    const auto was = before.net.find(each.name);
    if (was == before.net.end()) {
        return "new";
    }
    if (!bench::moved(was->second, each.measured->net, std::max(drift, before.drift))) {
        return "";
    }
    const double change = each.measured->net.median - was->second.median;
    return fmt::format("was {:.0f}: {:+.0f} ns", was->second.median, change);
}

output::Table table_of(const bench::RunResult& result,
                       const std::optional<bench::Baseline>& before) {
    std::vector<output::Column> columns = {{"scenario"},
                                           {"ns/packet", output::Align::kRight},
                                           {"quartiles", output::Align::kRight},
                                           {"answers"}};
    if (before) {
        columns.push_back({"moved"});
    }
    output::Table table(columns);
    const double drift = bench::drift_of(result);
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
            row.push_back(move(each, *before, drift));
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
    std::optional<bench::Baseline> before;
    if (!baseline.empty()) {
        WEIR_TRY(const std::string text, read_file(baseline));
        auto figures = bench::read_baseline(text);
        if (!figures) {
            return fail(std::move(figures).error().while_(baseline));
        }
        before = *std::move(figures);
    }
    std::string text =
        fmt::format("{}\n\n{}\n{}", headline(result.origin), table_of(result, before).to_string(),
                    programs_of(result).to_string());
    if (!result.memory.empty()) {
        text += "\n" + memory_of(result).to_string();
    }
    text += fmt::format("\ndrift {:.0f} %: by so much the same empty program's time changed\n",
                        100 * bench::drift_of(result));
    cx.out.text(text);
    cx.out.document(bench::to_json(result));
    return {};
}

} // namespace weir::verbs
