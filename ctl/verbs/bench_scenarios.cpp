#include "verbs/bench_scenarios.h"

#include "verbs/bench_words.h"

#include <algorithm>
#include <fmt/format.h>
#include <fnmatch.h>
#include <span>

#include "kernel/bpf.h"

namespace weir::verbs {
namespace {

// How far it is, on a terminal.
class Progress {
public:
    explicit Progress(std::size_t of) : of_(of) {}
    ~Progress() { show_progress(""); }
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    void next(const std::string& name) {
        show_progress(fmt::format("[{}/{}] {}", ++at_, of_, name));
    }

private:
    std::size_t of_;
    std::size_t at_ = 0;
};

bool matches(const std::string& name, const std::vector<std::string>& only) {
    return only.empty() || std::any_of(only.begin(), only.end(), [&](const std::string& pattern) {
               return fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
           });
}

bench::CaseResult named_case(const bench::SetUp& set_up, const bench::Case& each) {
    bench::CaseResult result;
    result.name = each.name;
    result.what = each.what;
    result.series = each.series;
    result.x = each.x;
    result.routed = set_up.routed || set_up.before; // both do more now and then
    return result;
}

// A scenario, and what its passes have given.
struct ScenarioPlace {
    bench::CaseResult result;
    bench::Measurement measurement = {};
};

Result<> add_pass(const BenchNode& node, const bench::Case& scenario, const bench::Effort& effort,
                  std::uint32_t pass, ScenarioPlace& place) {
    const bench::Traffic traffic = scenario.traffic();
    WEIR_TRY(auto bed, bench::TestBed::set_up(node.program(scenario.program), traffic));
    place.result.type = bed.type();
    return place.measurement.add_pass(bed, traffic.turns(), effort, pass, scenario.expect);
}

Result<> note_costs(const BenchNode& node, bench::RunResult& result) {
    for (const Fd& program : node.programs) {
        WEIR_TRY(auto size, size_of(program.get()));
        result.programs.push_back(std::move(size));
    }
    WEIR_TRY(result.memory, bench::memory_costs(node.node));
    return {};
}

// The set-up's cases once, `places` being theirs.
Result<> run_set_up(BenchNodes& nodes, const bench::SetUp& set_up, std::uint32_t pass,
                    std::span<ScenarioPlace> places, Progress& progress, bench::RunResult& result) {
    if (!places.empty() && !places.front().result.refused.empty()) { // in the pass before
        for (const bench::Case& scenario : set_up.cases) {
            progress.next(scenario.name);
        }
        return {};
    }
    if (PinnedBench::interrupted()) {
        return fail("interrupted");
    }
    const auto node = nodes.make(set_up);
    if (node && result.programs.empty()) {
        WEIR_CHECK(note_costs(*node, result));
    }
    for (std::size_t i = 0; i < set_up.cases.size(); i++) {
        const bench::Case& scenario = set_up.cases[i];
        progress.next(scenario.name);
        if (!node) { // more than this version takes: shown, and measured once it takes it
            places[i].result.refused = node.error().message();
        } else if (auto done = add_pass(*node, scenario, result.effort, pass, places[i]); !done) {
            return fail(std::move(done).error().while_(scenario.name));
        }
    }
    return {};
}

} // namespace

void add_only(po::options_description& add) {
    add.add_options()("only",
                      po::value<std::vector<std::string>>()->composing()->value_name("PATTERN"),
                      "scenarios of these names; * and ? as in a shell; may be repeated");
}

std::vector<std::string> only_of(const po::variables_map& options) {
    return options.count("only") > 0 ? options["only"].as<std::vector<std::string>>()
                                     : std::vector<std::string>{};
}

Result<std::vector<bench::SetUp>> select(const std::vector<std::string>& only,
                                         bool (*wanted)(const bench::Case&)) {
    std::vector<bench::SetUp> chosen;
    for (bench::SetUp& set_up : bench::scenarios()) {
        std::erase_if(set_up.cases, [&](const bench::Case& each) {
            return !wanted(each) || !matches(each.name, only);
        });
        if (!set_up.cases.empty()) {
            chosen.push_back(std::move(set_up));
        }
    }
    if (chosen.empty()) {
        return usage(
            fmt::format("--only '{}': no scenario has such a name; `weir bench run --list`",
                        fmt::join(only, "', '")));
    }
    return chosen;
}

Result<bench::ProgramSize> size_of(int program) {
    WEIR_TRY(const auto info, kernel::program_info(program));
    return bench::ProgramSize{info.name, fmt::format("{:02x}", fmt::join(info.tag, "")),
                              info.verified_insns, info.jited_prog_len};
}

Result<> run_scenarios(BenchNodes& nodes, const std::vector<bench::SetUp>& set_ups,
                       bench::RunResult& result) {
    WEIR_CHECK(enter_bench_network());
    std::vector<ScenarioPlace> places;
    for (const bench::SetUp& set_up : set_ups) {
        for (const bench::Case& each : set_up.cases) {
            places.push_back({named_case(set_up, each)});
        }
    }
    Progress progress(places.size() * result.effort.passes);
    for (std::uint32_t pass = 0; pass < result.effort.passes; pass++) {
        auto next = places.begin();
        for (const bench::SetUp& set_up : set_ups) {
            const std::span its(next, set_up.cases.size());
            WEIR_CHECK(run_set_up(nodes, set_up, pass, its, progress, result));
            next += static_cast<std::ptrdiff_t>(its.size());
        }
    }
    for (ScenarioPlace& place : places) {
        if (place.result.refused.empty()) {
            place.result.measured = place.measurement.figures();
        }
        result.cases.push_back(std::move(place.result));
    }
    return {};
}

} // namespace weir::verbs
