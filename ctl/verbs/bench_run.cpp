#include <algorithm>
#include <fmt/format.h>

#include "bench/packet/run_result.h"
#include "kernel/bpf.h"
#include "text/packet_text.h"
#include "verbs/all.h"
#include "verbs/bench_files.h"
#include "verbs/bench_print.h"
#include "verbs/bench_scenarios.h"
#include "verbs/hex.h"
#include "verbs/words.h"

namespace weir::verbs {
namespace {

Result<bench::Effort> parse_effort(const po::variables_map& options) {
    bench::Effort effort;
    if (options.count("rounds") > 0) {
        WEIR_TRY(const auto rounds,
                 parse_number(option_text(options, "rounds"), "--rounds", 3, 1000));
        effort.rounds = static_cast<std::uint32_t>(rounds);
        effort.passes = std::min(effort.passes, effort.rounds);
    }
    return effort;
}

// --- any program --------------------------------------------------------------------------------

Result<bench::Traffic> traffic_of(const po::variables_map& options) {
    std::uint64_t flows = 1;
    if (options.count("flows") > 0) {
        WEIR_TRY(flows, parse_number(option_text(options, "flows"), "--flows", 1, 1'000'000));
    }
    if (options.count("hex") + options.count("packet") > 1) {
        return usage("--hex and --packet: one of them");
    }
    if (options.count("hex") > 0) {
        if (flows > 1) {
            return usage("--flows: only of a packet in words (--packet)");
        }
        WEIR_TRY(const auto frame, parse_hex(option_text(options, "hex")));
        return bench::single_frame(frame);
    }
    const std::string words = options.count("packet") > 0
                                  ? option_text(options, "packet")
                                  : "ip saddr 198.51.100.1 ip daddr 192.0.2.1 tcp dport 80";
    const auto fields = text::parse_packet(words);
    if (!fields) {
        return fail(text::to_error(fields.error(), ""));
    }
    text::PacketFields first = *fields;
    if (!first.saddr) {
        first.saddr = first.family == Family::kIpv4 ? *IpAddr::parse("198.51.100.1")
                                                    : *IpAddr::parse("2001:db8::1");
    }
    return bench::make_flows(static_cast<std::uint32_t>(flows), 1,
                             [&](std::size_t) { return first; });
}

Result<> run_program(const po::variables_map& options, bench::RunResult& result) {
    const std::string pin = option_text(options, "prog");
    WEIR_TRY(const auto program, kernel::open_pin(pin));
    WEIR_TRY(const auto size, size_of(program.get()));
    result.programs.push_back(size);
    WEIR_TRY(const auto traffic, traffic_of(options));
    WEIR_TRY(auto bed, bench::TestBed::set_up(program.get(), traffic));
    std::optional<int> expect;
    if (options.count("expect") > 0) {
        WEIR_TRY(expect, bench::parse_action(bed.type(), option_text(options, "expect")));
    }
    bench::CaseResult each;
    each.name = size.name;
    each.what = pin;
    each.type = bed.type();
    bench::Measurement measurement;
    for (std::uint32_t pass = 0; pass < result.effort.passes; pass++) {
        WEIR_CHECK(measurement.add_pass(bed, traffic.turns(), result.effort, pass, expect));
    }
    each.measured = measurement.figures();
    result.cases.push_back(std::move(each));
    return {};
}

// --- the verb -----------------------------------------------------------------------------------

Result<> list(Context& cx, const std::vector<bench::SetUp>& set_ups) {
    output::Table table({{"scenario"}, {"what"}});
    output::Json names = output::Json::array();
    for (const bench::SetUp& set_up : set_ups) {
        for (const bench::Case& each : set_up.cases) {
            table.row({each.name, each.what});
            names.push_back({{"name", each.name}, {"what", each.what}});
        }
    }
    cx.out.text(table.to_string());
    cx.out.document({{"scenarios", std::move(names)}});
    return {};
}

Result<> run_bench_run(const po::variables_map& options, const Words& words, Context& cx) {
    WEIR_CHECK(at_most(words, 0));
    const auto only = only_of(options);
    WEIR_TRY(const std::string out, out_folder(options));
    bench::RunResult result;
    WEIR_TRY(result.effort, parse_effort(options));
    result.origin = bench::here_and_now();
    if (options.count("prog") > 0) {
        if (!only.empty() || options.count("list") > 0) {
            return usage("--prog: not together with --only or --list, which are about scenarios");
        }
        WEIR_CHECK(run_program(options, result));
    } else {
        for (const char* option : {"packet", "hex", "flows", "expect"}) {
            if (options.count(option) > 0) {
                return usage(
                    fmt::format("--{}: only with --prog; scenarios have their own", option));
            }
        }
        WEIR_TRY(const auto set_ups, select(only, [](const bench::Case&) { return true; }));
        if (options.count("list") > 0) {
            return list(cx, set_ups);
        }
        BenchNodes nodes(cx, BenchNodes::Use::kFresh);
        WEIR_CHECK(run_scenarios(nodes, set_ups, result));
    }
    if (!out.empty()) {
        WEIR_CHECK(write_result(out, bench::to_json(result)));
    }
    return print_run(cx, result, option_text(options, "baseline"));
}

void add_bench_run_options(po::options_description& add) {
    add.add_options()("prog", po::value<std::string>()->value_name("PIN"),
                      "measure this pinned XDP or TC program, anybody's, instead of the scenarios")(
        "packet", po::value<std::string>()->value_name("WORDS"),
        "what it is given, in the words of `weir explain` [a TCP SYN to port 80]")(
        "hex", po::value<std::string>()->value_name("BYTES"), "what it is given, as a frame")(
        "flows", po::value<std::string>()->value_name("N"),
        "so many flows by turns: source address and port differ [1]")(
        "expect", po::value<std::string>()->value_name("ACTION"),
        "what every packet must be answered: pass, drop, tx, …; else there is no figure");
    add_only(add);
    add.add_options()("list", "name the scenarios and measure nothing")(
        "rounds", po::value<std::string>()->value_name("N"),
        "rounds of every case, each with a run around an empty program [15]")(
        "baseline", po::value<std::string>()->value_name("FILE"),
        "compare with this earlier run.json: what moved beyond the noise")(
        "out", po::value<std::string>()->value_name("DIR"),
        "also write there run.json, run.md and plots; `weir bench report` makes a page of it");
}

} // namespace

const Verb bench_run{
    .path = "bench run",
    .operands = "",
    .summary = "what a packet costs in a program, in ns, by BPF_PROG_TEST_RUN",
    .details =
        R"(A program of the bench's own stands before the one under test: it restores the packet before
every lap, takes the next flow's header, calls the program and counts its answers, so that no lap is
run on another lap's output. The figure is the median, over rounds, of the difference to the same
around an empty program, with its quartiles. Scenarios run in a Weir of their own, attached nowhere.

  weir bench run --only 'fw4-*'
  weir bench run --prog /sys/fs/bpf/my_filter --flows 10000 --expect drop
)",
    .options = add_bench_run_options,
    .run = run_bench_run};

} // namespace weir::verbs
