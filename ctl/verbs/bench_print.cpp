#include "verbs/bench_print.h"

#include <algorithm>
#include <fmt/format.h>
#include <optional>

#include "bench/comparison.h"
#include "verbs/bench_files.h"
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

// "was 81: +12 ns", "" where it did not move beyond the noise.
std::string move(const bench::CaseResult& each, const bench::Comparison& compared) {
    const auto change =
        std::find_if(compared.changes.begin(), compared.changes.end(),
                     [&](const bench::Change& change) { return change.before.of == each.name; });
    if (change == compared.changes.end()) {
        return "new";
    }
    const double was = change->before.figure.median;
    return change->moved ? fmt::format("was {:.0f}: {:+.0f} ns", was, change->after.median - was)
                         : "";
}

output::Table table_of(const bench::RunResult& result,
                       const std::optional<bench::Comparison>& compared) {
    std::vector<output::Column> columns = {{"scenario"},
                                           {"ns/packet", output::Align::kRight},
                                           {"quartiles", output::Align::kRight},
                                           {"answers"}};
    if (compared) {
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
        if (compared) {
            row.push_back(move(each, *compared));
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
    bench::Json document = bench::to_json(result);
    std::optional<bench::Comparison> compared;
    if (!baseline.empty()) {
        WEIR_TRY(const auto before, evidence_in(baseline));
        WEIR_TRY(const auto now, bench::read_evidence(document));
        if (before.kind != now.kind) {
            return fail(fmt::format("{}: a result of `weir bench {}`", baseline, before.kind));
        }
        compared = bench::compare(before, now);
    }
    std::string text =
        fmt::format("{}\n\n{}\n{}", headline(result.origin), table_of(result, compared).to_string(),
                    programs_of(result).to_string());
    if (!result.memory.empty()) {
        text += "\n" + memory_of(result).to_string();
    }
    cx.out.text(text + drift_line(document));
    cx.out.document(document);
    return {};
}

} // namespace weir::verbs
