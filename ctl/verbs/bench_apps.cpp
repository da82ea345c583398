#include <fmt/format.h>

#include "bench/apps/application.h"
#include "bench/apps/apps_run.h"
#include "verbs/all.h"
#include "verbs/bench_files.h"
#include "verbs/bench_weir_device.h"
#include "verbs/bench_words.h"

namespace weir::verbs {
namespace {

// --- what is asked for --------------------------------------------------------------------------

Result<std::vector<std::string>> parse_applications(const po::variables_map& options) {
    const Words known = names_of(bench::applications());
    if (options.count("application") == 0) {
        return known;
    }
    Words chosen = items(option_text(options, "application"));
    for (const std::string& word : chosen) {
        WEIR_CHECK(parse_choice(word, "application", {known.begin(), known.end()}));
    }
    return chosen;
}

Result<bench::AppsOptions> parse_apps_options(const po::variables_map& options) {
    bench::AppsOptions wanted;
    WEIR_TRY(wanted.applications, parse_applications(options));
    WEIR_CHECK(parse_modes(options, wanted.modes));
    WEIR_CHECK(parse_count(options, "rounds", 3, 1000, wanted.rounds));
    WEIR_CHECK(parse_count(options, "seconds", 1, 3600, wanted.seconds));
    WEIR_CHECK(parse_count(options, "connections", 1, 1000, wanted.connections));
    return wanted;
}

// Direct, Weir in every mode that is asked for, then what a user would pick instead.
std::vector<bench::AppsPeer> peers_of(Context& cx, const bench::AppsOptions& options) {
    std::vector<bench::AppsPeer> peers = bench::apps_peers();
    auto after_direct = peers.begin() + 1;
    for (const bench::NetMode mode : options.modes) {
        const auto weir = weir_apps_peers(cx, mode);
        after_direct = peers.insert(after_direct, weir.begin(), weir.end()) +
                       static_cast<std::ptrdiff_t>(weir.size());
    }
    return peers;
}

// --- what is shown ------------------------------------------------------------------------------

constexpr double kGiga = 1e9;

std::string case_rate(const bench::AppsCase& each, double value) {
    return each.bulk ? fmt::format("{:.2f}", value / kGiga) : fmt::format("{:.0f}", value);
}

std::vector<std::string> row_of(const bench::AppsCase& each) {
    std::vector<std::string> row = {each.application, each.peer, bench::name(each.mode)};
    if (!each.measured) {
        row.insert(row.end(), {"-", "", "-", "-", "-", "-", "-", "-", "-", each.refused});
        return row;
    }
    const bench::AppsMeasured& measured = *each.measured;
    row.push_back(case_rate(each, measured.rate.median));
    row.emplace_back(each.bulk ? "Gbit/s" : "requests/s");
    row.push_back(case_rate(each, measured.rate.lower) + "-" +
                  case_rate(each, measured.rate.upper));
    row.push_back(measured.ratio ? fmt::format("{:.2f}", measured.ratio->median) : "-");
    row.push_back(measured.ratio ? quartiles(*measured.ratio, 2) : "-");
    for (std::size_t i = 0; i < bench::kPercentiles.size(); i++) {
        row.push_back(i < measured.latency_us.size()
                          ? fmt::format("{:.0f}", measured.latency_us[i].median)
                          : "-");
    }
    return row;
}

output::Table table_of(const std::vector<bench::AppsCase>& cases) {
    constexpr auto kRight = output::Align::kRight;
    std::vector<output::Column> columns = {{"application"},
                                           {"peer"},
                                           {"mode"},
                                           {"rate", kRight},
                                           {""},
                                           {"quartiles", kRight},
                                           {"to direct", kRight},
                                           {"quartiles", kRight}};
    for (const double percent : bench::kPercentiles) {
        columns.push_back({fmt::format("p{:g} us", percent), kRight});
    }
    columns.push_back({""});
    output::Table table(std::move(columns));
    for (const bench::AppsCase& each : cases) {
        table.row(row_of(each));
    }
    return table;
}

Result<> run_bench_apps(const po::variables_map& options, const Words& words, Context& cx) {
    WEIR_CHECK(at_most(words, 0));
    bench::AppsResult result;
    WEIR_TRY(result.options, parse_apps_options(options));
    const auto peers = peers_of(cx, result.options);
    WEIR_TRY(const Words chosen, parse_peer_names(options, names_of(peers)));
    WEIR_TRY(const std::string out, out_folder(options));
    result.origin = bench::here_and_now();
    WEIR_CHECK(bench::enter_private_mounts());
    WEIR_TRY(result.cases,
             bench::run_apps(chosen_of(peers, chosen), result.options, show_progress));
    show_progress("");
    output::Json document = bench::to_json(result);
    if (!out.empty()) {
        WEIR_CHECK(write_result(out, document));
    }
    cx.out.text(fmt::format("{}\n\n{}{}", headline(result.origin),
                            table_of(result.cases).to_string(), drift_line(document)));
    cx.out.document(document);
    return {};
}

void add_bench_apps_options(po::options_description& add) {
    const auto text = [](const char* value) { return po::value<std::string>()->value_name(value); };
    auto option = add.add_options();
    option("application", text("LIST"), "http, http-connect, iperf3 [all]");
    option("peers", text("LIST"), "only these [all]");
    option("mode", text("native|generic|both"), "where Weir's XDP runs [native]");
    option("rounds", text("N"), "measurements of each, at least 3 [5]");
    option("seconds", text("N"), "of a measurement [1]");
    option("connections", text("N"), "that wrk has open [32]");
    option("out", text("DIR"), "also write there apps.json, apps.md and plots");
}

} // namespace

const Verb bench_apps{
    .path = "bench apps",
    .operands = "",
    .summary = "requests a second and their latency through the VIP, beside other ways",
    .details =
        R"(wrk asks nginx, and iperf3 sends to its server, in network namespaces of its own: past the
device (direct), through Weir's balancer in each way of forwarding, through the kernel's forwarding,
nftables' DNAT and IPVS. Each way has namespaces and servers of its own; they take turns round by
round. Clients run on one CPU, servers on another. Frames are what they would be on a wire: nothing
leaves segmentation or checksums to a driver. Answers go past the device, but for DNAT's.

A run counts only if every request was answered and the device saw the frames (directly: did not);
Weir's ledger must balance. What is missing, and why, stands in the figure's place.

  weir bench apps
  weir bench apps --application http --peers direct,weir-l2dsr,nft-dnat --rounds 15 --out results
)",
    .options = add_bench_apps_options,
    .run = run_bench_apps};

} // namespace weir::verbs
