#include <cerrno>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>

#include "bench/packet/instructions.h"
#include "verbs/all.h"
#include "verbs/bench_scenarios.h"
#include "verbs/words.h"

namespace weir::verbs {
namespace {

// A lap is the same as every other one here: few will do.
constexpr bench::Effort kEffort{.rounds = 5, .passes = 1, .run_ns = 0, .laps = 500};

Result<bench::InstructionTable> read_table(const std::string& path) {
    WEIR_TRY(const std::string text, read_file(path));
    auto table = bench::InstructionTable::parse(text);
    if (!table) {
        return fail(std::move(table).error().while_(path));
    }
    return table;
}

// The figures of this kernel take the place of older ones; those of other kernels stay.
Result<> write_table(const std::string& path, const bench::Instructions& figures) {
    bench::InstructionTable table;
    if (std::filesystem::exists(path)) {
        WEIR_TRY(table, read_table(path));
    }
    table.set(figures);
    std::ofstream file(path);
    file << table.to_string() << std::flush;
    return file ? Result<>{} : fail_errno("writing " + path, errno);
}

Result<> check_table(const std::string& path, const bench::Instructions& figures) {
    WEIR_TRY(const auto table, read_table(path));
    auto grown = table.grown(figures);
    if (!grown) {
        return fail(std::move(grown).error().while_(path));
    }
    if (!grown->empty()) {
        return fail(fmt::format("more than in {}: {}", path, fmt::join(*grown, "; ")));
    }
    return {};
}

Result<> run_bench_insns(const po::variables_map& options, const Words& words, Context& cx) {
    WEIR_CHECK(at_most(words, 0));
    const auto only = only_of(options);
    WEIR_TRY(const auto set_ups,
             select(only, [](const bench::Case& each) { return each.counted; }));
    bench::RunResult result;
    result.effort = kEffort;
    result.origin = bench::here_and_now();
    BenchNodes nodes(cx, BenchNodes::Use::kShared);
    WEIR_CHECK(run_scenarios(nodes, set_ups, result));
    WEIR_TRY(const auto figures, bench::counted(result));

    output::Table table({{"scenario"}, {"instructions", output::Align::kRight}});
    output::Json counts = output::Json::object();
    for (const bench::CaseResult& each : result.cases) {
        const std::uint64_t count = figures.counts.at(each.name);
        table.row({each.name, std::to_string(count)});
        counts[each.name] = count;
    }
    cx.out.text(table.to_string());
    cx.out.document({{"kernel", figures.kernel}, {"instructions", std::move(counts)}});
    if (options.count("write") > 0) {
        WEIR_CHECK(write_table(option_text(options, "write"), figures));
    }
    if (options.count("check") > 0) {
        WEIR_CHECK(check_table(option_text(options, "check"), figures));
    }
    return {};
}

void add_bench_insns_options(po::options_description& add) {
    add_only(add);
    add.add_options()("check", po::value<std::string>()->value_name("FILE"),
                      "compare with this table: exit code 1 if a figure grew")(
        "write", po::value<std::string>()->value_name("FILE"),
        "put the figures of this kernel into this table");
}

} // namespace

const Verb bench_insns{
    .path = "bench insns",
    .operands = "",
    .summary = "instructions that a packet costs, exactly, on a machine whose clock counts them",
    .details =
        R"(The scenarios of `weir bench run` that are cheap enough, where a nanosecond is an executed
instruction: under QEMU with -icount shift=0. Elsewhere it is refused. Figures are the program's own,
without re-arming and the call, and the same in every run but for an instruction or two.

  netns-scripts/vm.sh --icount --kernel 6.1 -- weir bench insns --check bench/results/instructions.json
)",
    .options = add_bench_insns_options,
    .run = run_bench_insns};

} // namespace weir::verbs
