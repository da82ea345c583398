#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fmt/format.h>
#include <sstream>

#include "bench/cpus.h"
#include "bench/process.h"
#include "verbs/all.h"
#include "verbs/bench_files.h"
#include "verbs/words.h"

namespace weir::verbs {
namespace {

struct Step {
    const char* whole;
    const char* shorter;
};

// CPUS stands for the numbers of CPUs at work at the same time.
constexpr Step kSteps[] = {
    {"run --rounds 9",
     "run --rounds 3 --only count --only parse-* --only fw4-1000-* --only set4-10000-* "
     "--only lb-*4-* --only whole-10000"},
    {"net --packets 300000 --cpus CPUS", "net --packets 50000 --rounds 3 --size 64 --cpus CPUS"},
    {"apps", "apps --rounds 3 --seconds 2 --application http"},
    {"control", "control --traffic-only"},
    {"trace", "trace --rounds 3 --events 5000 --alone"},
};

Words words_of(const char* step, const std::string& cpus) {
    Words words;
    std::istringstream line(step);
    for (std::string word; line >> word;) {
        words.push_back(word == "CPUS" ? cpus : word);
    }
    return words;
}

// A verb of this binary; each works in processes, mounts and namespaces of its own.
Result<> weir_bench(Words words) {
    const std::string what = "weir bench " + join(words, " ");
    words.insert(words.begin(),
                 {std::filesystem::read_symlink("/proc/self/exe").string(), "bench"});
    if (auto done = bench::run_beside(words); !done) {
        return fail(std::move(done).error().while_(what));
    }
    return {};
}

Result<> run_bench_all(const po::variables_map& options, const Words& words, Context& cx) {
    WEIR_CHECK(at_most(words, 0));
    WEIR_TRY(const std::string out, out_folder(options));
    if (out.empty()) {
        return usage("bench all: --out DIR is missing: where the results go");
    }
    WEIR_TRY(const auto cpus, bench::allowed_cpus());
    const auto start = std::chrono::steady_clock::now();
    for (const Step& step : kSteps) {
        Words line = words_of(options.count("short") > 0 ? step.shorter : step.whole,
                              cpus.size() > 1 ? "1,2" : "1");
        fmt::print(stderr, "weir bench {}\n", join(line, " "));
        line.insert(line.end(), {"--out", out});
        WEIR_CHECK(weir_bench(std::move(line)));
    }
    WEIR_CHECK(weir_bench({"report", out}));
    const auto seconds =
        std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - start)
            .count();
    const std::string page = (std::filesystem::path(out) / "report.html").string();
    cx.out.text(fmt::format("{}, after {} s\n", page, seconds));
    cx.out.document({{"page", page}, {"seconds", seconds}});
    return {};
}

void add_bench_all_options(po::options_description& add) {
    add.add_options()("out", po::value<std::string>()->value_name("DIR"),
                      "where the results and the page go")(
        "short", "less of everything: a minute, to see that all is well; no figures to keep");
}

} // namespace

const Verb bench_all{
    .path = "bench all",
    .operands = "",
    .summary = "every measurement, and a page of them, in less than ten minutes",
    .details =
        R"(What `weir bench run`, `net`, `apps`, `control` and `trace` measure, one after the other, and then
the page of `weir bench report`. The machine should have nothing else to do meanwhile.
`weir bench insns`, which needs an emulator, is not among them; its table is shown if it lies in the
folder.

  weir bench all --out results
)",
    .options = add_bench_all_options,
    .run = run_bench_all};

} // namespace weir::verbs
