#include <fmt/format.h>

#include "bench/trace/trace_rate.h"
#include "bench/trace/trace_run.h"
#include "verbs/all.h"
#include "verbs/bench_files.h"
#include "verbs/bench_words.h"
#include "verbs/words.h"

namespace weir::verbs {
namespace {

constexpr auto kRight = output::Align::kRight;

output::Table table_of(const bench::TraceResult& result) {
    const char* unit = result.counts_instructions() ? "instructions" : "ns";
    output::Table table({{"backend"},
                         {"recipe"},
                         {"by"},
                         {unit, kRight},
                         {"quartiles", kRight},
                         {"to weir", kRight},
                         {""}});
    for (const bench::TraceCaseResult& each : result.cases) {
        const bench::TraceCase& what = each.what;
        if (!each.measured) {
            table.row({what.backend, what.recipe, what.peer, "-", "", "", each.refused});
            continue;
        }
        const auto& ratio = each.measured->ratio;
        table.row({what.backend, what.recipe, what.peer,
                   fmt::format("{:.0f}", each.measured->cost.median),
                   quartiles(each.measured->cost, 0),
                   ratio ? fmt::format("{:.2f}", ratio->median) : "", ""});
    }
    return table;
}

std::string rates_of(const bench::TraceResult& result) {
    std::string text;
    for (const bench::TraceRate& each : result.rates) {
        const std::string limit = each.lost ? fmt::format("{:.0f} a second lost some", *each.lost)
                                            : std::string("the source gives no more");
        text += fmt::format("ring of {} K, events of {} octets: {:.0f} a second without loss; {}\n",
                            each.ring_octets / 1024, each.event_octets, each.kept, limit);
    }
    return text.empty() && !result.no_rates.empty() ? "no rates: " + result.no_rates + "\n" : text;
}

void measure_rates(bench::TraceResult& result) {
    for (const std::uint32_t ring : {1U << 16, 1U << 22}) {
        show_progress(fmt::format("events through a ring of {} K", ring / 1024));
        auto rate = bench::trace_rate(ring);
        if (!rate) {
            result.no_rates = rate.error().message();
            return;
        }
        result.rates.push_back(*rate);
    }
}

Result<> run_bench_trace(const po::variables_map& options, const Words& words, Context& cx) {
    WEIR_CHECK(at_most(words, 0));
    bench::TraceResult result;
    WEIR_CHECK(parse_count(options, "rounds", 3, 1000, result.options.rounds));
    std::uint32_t events = 100'000;
    WEIR_CHECK(parse_count(options, "events", 100, 1'000'000, events));
    result.options.events = events;
    result.options.peers = options.count("alone") == 0;
    WEIR_TRY(const std::string out, out_folder(options));
    result.origin = bench::here_and_now();
    result.cases = bench::run_trace_cases(result.options, show_progress);
    measure_rates(result);
    show_progress("");
    output::Json document = bench::to_json(result);
    if (!out.empty()) {
        WEIR_CHECK(write_result(out, document));
    }
    cx.out.text(fmt::format("{}\n\n{}\n{}{}", headline(result.origin), table_of(result).to_string(),
                            rates_of(result), drift_line(document)));
    cx.out.document(document);
    return {};
}

void add_bench_trace_options(po::options_description& add) {
    const auto text = [](const char* value) { return po::value<std::string>()->value_name(value); };
    auto option = add.add_options();
    option("rounds", text("N"), "rounds of every case, each with one unprobed, at least 3 [9]");
    option("events", text("N"), "events of a round [100000]");
    option("alone", "without bpftrace beside it");
    option("out", text("DIR"), "also write there trace.json, trace.md and plots");
}

} // namespace

const Verb bench_trace{
    .path = "bench trace",
    .operands = "",
    .summary = "what a probe costs, by way of attaching, and how many events a second are not lost",
    .details =
        R"(Something cheap and known is done many times, unprobed and probed by turns: the thread is
renamed, which hits a tracepoint and a kernel function once; for uprobes a function of libc is called.
The figure is the difference for one hit: the way into the probe and what is done there. Every hit must
have been taken, none lost. bpftrace, where it is installed, is asked the same; the ratio is to Weir's
in the same round. What the kernel does not have is named, with the reason.

Then events with a number and a text are read on one CPU while they are made on another, at a rising
rate, until some are lost.

Under QEMU with -icount a nanosecond is an executed instruction, and the figures are those.

  weir bench trace --out results
  netns-scripts/vm.sh --icount --kernel 6.12 -- weir bench trace --rounds 3 --events 1000
)",
    .options = add_bench_trace_options,
    .run = run_bench_trace};

} // namespace weir::verbs
