#include "verbs/bench_scenarios.h"

#include <algorithm>
#include <fmt/format.h>
#include <fnmatch.h>
#include <unistd.h>

#include "kernel/bpf.h"

namespace weir::verbs {
namespace {

// One line on a terminal that says how far it is; nothing elsewhere.
class Progress {
public:
    explicit Progress(std::size_t of) : of_(of), shown_(isatty(STDERR_FILENO) != 0) {}
    ~Progress() { print(""); }
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    void next(const std::string& name) { print(fmt::format("[{}/{}] {}", ++at_, of_, name)); }

private:
    void print(const std::string& line) const {
        if (shown_) {
            fmt::print(stderr, "\r\x1b[K{}", line);
            std::fflush(stderr);
        }
    }
    std::size_t of_;
    std::size_t at_ = 0;
    bool shown_;
};

bool matches(const std::string& name, const std::vector<std::string>& only) {
    return only.empty() || std::any_of(only.begin(), only.end(), [&](const std::string& pattern) {
               return fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
           });
}

bench::CaseResult named(const bench::SetUp& set_up, const bench::Case& each) {
    bench::CaseResult result;
    result.name = each.name;
    result.what = each.what;
    result.series = each.series;
    result.x = each.x;
    result.routed = set_up.routed;
    return result;
}

Result<bench::CaseResult> measure_case(const BenchNode& node, const bench::SetUp& set_up,
                                       const bench::Case& each, const bench::Effort& effort) {
    const bench::Traffic traffic = each.traffic();
    WEIR_TRY(auto bed, bench::TestBed::set_up(node.program(each.program), traffic));
    bench::CaseResult result = named(set_up, each);
    result.type = bed.type();
    WEIR_TRY(result.measured,
             bench::measure(bed, static_cast<std::uint32_t>(traffic.headers.size()), effort,
                            each.expect));
    return result;
}

Result<> note_costs(const BenchNode& node, bench::RunResult& result) {
    for (const Fd& program : node.programs) {
        WEIR_TRY(auto size, size_of(program.get()));
        result.programs.push_back(std::move(size));
    }
    WEIR_TRY(result.memory, bench::memory_costs(node.node));
    return {};
}

} // namespace

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

Result<> run_scenarios(Context& cx, const std::vector<bench::SetUp>& set_ups,
                       bench::RunResult& result) {
    WEIR_CHECK(enter_bench_network());
    std::size_t count = 0;
    for (const bench::SetUp& set_up : set_ups) {
        count += set_up.cases.size();
    }
    Progress progress(count);
    for (const bench::SetUp& set_up : set_ups) {
        const auto node = make_bench_node(cx, set_up);
        if (node && result.programs.empty()) {
            WEIR_CHECK(note_costs(*node, result));
        }
        for (const bench::Case& each : set_up.cases) {
            progress.next(each.name);
            if (!node) { // more than this version takes: shown, and measured once it takes it
                result.cases.push_back(named(set_up, each));
                result.cases.back().refused = node.error().message();
                continue;
            }
            auto measured = measure_case(*node, set_up, each, result.effort);
            if (!measured) {
                return fail(std::move(measured).error().while_(each.name));
            }
            result.cases.push_back(*std::move(measured));
        }
    }
    return {};
}

} // namespace weir::verbs
