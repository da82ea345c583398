#include <linux/bpf.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <fmt/format.h>
#include <thread>

#include "bench/control.h"
#include "bench/packet/test_bed.h"
#include "text/packet_text.h"
#include "verbs/all.h"
#include "verbs/bench_files.h"
#include "verbs/bench_node.h"
#include "verbs/bench_words.h"

namespace weir::verbs {
namespace {

Result<> add_rule(PinnedBench& bench, const std::string& words) {
    std::vector<text::Warning> warnings;
    const auto rule = text::parse_rule(words, warnings);
    if (!rule) {
        return fail(text::to_error(rule.error(), ""));
    }
    return bench.edit([&](model::Config& config) -> Result<> {
        config.ingress.rules.push_back(*rule);
        return {};
    });
}

class Clock {
public:
    double ms() const {
        return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start_)
            .count();
    }

private:
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// What the rounds of a case gave.
struct Timing {
    bench::ControlCase what;
    std::vector<double> ms = {}, floor_ms = {};
    std::string refused = {};
};

// In a Weir of the round's own: what stands before, untimed, then the change.
Result<> time_once(Context& cx, Timing& timing) {
    const bench::ControlCase& each = timing.what;
    WEIR_TRY(auto bench, PinnedBench::load(cx, each.limits));
    const std::string before = each.before(), after = each.after ? each.after() : "";
    WEIR_CHECK(bench.apply(before));
    const Clock floor;
    bench::floor_work();
    timing.floor_ms.push_back(floor.ms());
    const Clock change;
    WEIR_CHECK(each.after ? bench.apply(after) : add_rule(bench, each.rule));
    timing.ms.push_back(change.ms());
    return {};
}

// A round goes through all cases, so that those of a case lie apart in time: their spread holds
// what the machine drifts meanwhile.
std::vector<bench::ControlResult> measure(Context& cx) {
    std::vector<Timing> timings;
    std::uint32_t rounds = 0;
    for (bench::ControlCase& each : bench::control_cases()) {
        rounds = std::max(rounds, each.rounds);
        timings.push_back({std::move(each)});
    }
    for (std::uint32_t round = 0; round < rounds; round++) {
        for (Timing& timing : timings) {
            if (!timing.refused.empty() || round >= timing.what.rounds) {
                continue;
            }
            show_progress(
                fmt::format("round {} of {}: {}", round + 1, timing.what.rounds, timing.what.name));
            if (auto done = time_once(cx, timing); !done) {
                timing.refused = done.error().message();
            }
        }
    }
    std::vector<bench::ControlResult> results;
    for (const Timing& timing : timings) {
        bench::ControlResult result{.name = timing.what.name, .what = timing.what.what};
        result.refused = timing.refused;
        if (timing.refused.empty()) {
            result.milliseconds = bench::figure_of(timing.ms);
            result.floor = bench::figure_of(timing.floor_ms);
        }
        results.push_back(std::move(result));
    }
    return results;
}

// One thread runs packets, this one changes the generation under them.
Result<bench::MixResult> mix(Context& cx, std::uint32_t generations) {
    constexpr std::uint32_t kLaps = 20000;
    const bench::MixPair pair = bench::mix_pair();
    WEIR_TRY(auto bench, PinnedBench::load(cx, {}));
    WEIR_CHECK(bench.apply(pair.first));
    WEIR_TRY(const auto node, bench.open());
    const auto packet = text::parse_packet(pair.packet);
    if (!packet) {
        return fail(text::to_error(packet.error(), ""));
    }
    const bench::Traffic traffic = bench::make_traffic(1, [&](std::size_t) { return *packet; });
    WEIR_TRY(auto bed, bench::TestBed::set_up(node.program(kernel::Program::kIngress), traffic));

    std::atomic<bool> stop = false;
    bench::Tally tally;
    Result<> ran;
    std::thread packets([&] {
        while (!stop && ran) {
            if (auto run = bed.run(REARM_UNDER_TEST, kLaps); run) {
                tally += run->tally;
            } else {
                ran = fail(std::move(run).error());
            }
        }
    });
    Result<> changed;
    bench::MixResult result;
    for (; result.generations < generations && changed; result.generations++) {
        changed = PinnedBench::interrupted() ? fail("interrupted") : Result<>{};
        if (changed) {
            changed = bench.apply(result.generations % 2 == 0 ? pair.second : pair.first);
        }
    }
    stop = true;
    packets.join();
    WEIR_CHECK(changed);
    WEIR_CHECK(ran);
    for (const std::uint64_t laps : tally.answers) {
        result.packets += laps;
    }
    result.mixed = result.packets - tally.of(XDP_PASS);
    return result;
}

std::string text_of(const bench::ControlReport& report) {
    output::Table table({{"change"},
                         {"ms", output::Align::kRight},
                         {"quartiles", output::Align::kRight},
                         {"what"}});
    for (const bench::ControlResult& each : report.cases) {
        if (each.milliseconds) {
            const bench::Figure& ms = *each.milliseconds;
            table.row({each.name, fmt::format("{:.1f}", ms.median), quartiles(ms, 1), each.what});
        } else {
            table.row({each.name, "-", "-", "refused: " + each.refused});
        }
    }
    return fmt::format(
        "{}\n\n{}\nunder traffic: {} generations, {} packets, {} of them saw a mix of two\n",
        headline(report.origin), table.to_string(), report.mix.generations, report.mix.packets,
        report.mix.mixed);
}

Result<> run_bench_control(const po::variables_map& options, const Words& words, Context& cx) {
    WEIR_CHECK(at_most(words, 0));
    std::uint64_t generations = 200;
    if (options.count("generations") > 0) {
        WEIR_TRY(generations,
                 parse_number(option_text(options, "generations"), "--generations", 2, 1'000'000));
    }
    WEIR_TRY(const std::string out, out_folder(options));
    bench::ControlReport report;
    report.origin = bench::here_and_now();
    if (options.count("traffic-only") == 0) {
        report.cases = measure(cx);
    }
    show_progress("changes under traffic");
    WEIR_TRY(report.mix, mix(cx, static_cast<std::uint32_t>(generations)));
    show_progress("");
    output::Json document = bench::to_json(report);
    if (!out.empty()) {
        WEIR_CHECK(write_result(out, document));
    }
    cx.out.text(text_of(report) + (report.cases.empty() ? "" : drift_line(document)));
    cx.out.document(document);
    return report.mix.mixed == 0 ? Result<>{}
                                 : fail(fmt::format("{} of {} packets saw a mix of generations",
                                                    report.mix.mixed, report.mix.packets));
}

void add_bench_control_options(po::options_description& add) {
    add.add_options()("generations", po::value<std::string>()->value_name("N"),
                      "changes that are made under traffic [200]")(
        "traffic-only", "only the changes under traffic, no times")(
        "out", po::value<std::string>()->value_name("DIR"),
        "also write control.json, control.md and a plot there");
}

} // namespace

const Verb bench_control{
    .path = "bench control",
    .operands = "",
    .summary = "how long changes of the configuration take, and that no packet sees half of one",
    .details =
        R"(Times are those of `weir apply` (one rule: `weir fw add`) without the start of the process:
reading YAML, checking, compiling, building the new tables and turning to them, in a Weir of the
bench's own. Then generations
alternate under packets that would be dropped if they met the rules of one and the sets of the other.

  weir bench control --out results
)",
    .options = add_bench_control_options,
    .run = run_bench_control};

} // namespace weir::verbs
