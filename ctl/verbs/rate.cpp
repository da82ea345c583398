#include <algorithm>
#include <ctime>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <map>
#include <utility>

#include "presets/preset.h"
#include "verbs/all.h"
#include "verbs/tracing.h"

namespace weir::verbs {
namespace {

// Numbers under the probes' names, as vmstat(8) has it. Probes of one name are one column.
std::vector<std::string> columns_of(const trace::Session& session) {
    std::vector<std::string> columns;
    for (const trace::Probe& probe : session.probes()) {
        if (std::find(columns.begin(), columns.end(), probe.name) == columns.end()) {
            columns.push_back(probe.name);
        }
    }
    return columns;
}

std::size_t width(const std::string& column) {
    constexpr std::size_t kLeast = 7;
    return std::max(kLeast, column.size() + 2);
}

std::string title(const trace::Session& session) {
    std::string line = fmt::format("{:<8}", "TIME");
    for (const std::string& column : columns_of(session)) {
        line += fmt::format("  {:>{}}", column + "/s", width(column));
    }
    return line + "\n";
}

Result<> show_rates(Context& cx, trace::Session& session, double seconds) {
    WEIR_TRY(const auto totals, session.tracer().totals(true));
    std::map<std::string, std::uint64_t> events;
    for (const auto& [key, total] : totals) {
        events[session.probes().at(key.probe).name] += total.events;
    }
    const std::string time = fmt::format("{:%H:%M:%S}", fmt::localtime(std::time(nullptr)));
    std::string line = time;
    output::Json rates = output::Json::object();
    for (const std::string& column : columns_of(session)) {
        const double rate = static_cast<double>(events[column]) / seconds;
        line += fmt::format("  {:>{}.0f}", rate, width(column));
        rates[column] = rate;
    }
    cx.out.text(line + "\n");
    cx.out.line({{"time", time}, {"seconds", seconds}, {"per_second", std::move(rates)}});
    return {};
}

Result<> run_rate(const po::variables_map& options, const Words& words, Context& cx) {
    WEIR_TRY(const auto preset, presets::wished("rate", words));
    WEIR_TRY(const TraceWish wish, preset ? parse_limits(options) : parse_wish(options, words));
    Rounds rounds{.rest = false};
    WEIR_TRY(rounds.interval, parse_interval(options));
    rounds.interval = rounds.interval > 0 ? rounds.interval : 1;
    WEIR_TRY(rounds.most, parse_rounds(options));
    bool titled = false;
    return run_rounds(
        cx, preset ? preset->steps : steps_of(wish.sources, {.sink = trace::Sink::kCount}), wish,
        {.totals = kTotals}, rounds, [&](trace::Session& session, double seconds) -> Result<> {
            if (!std::exchange(titled, true)) {
                cx.out.text(title(session));
            }
            return show_rates(cx, session, seconds);
        });
}

void add_rate_options(po::options_description& add) {
    add_rounds(add);
    add_interval(add, "seconds of a line [1]");
    add_tracing(add);
}

} // namespace

const Verb rate{.path = "rate",
                .operands = "SOURCE...|@PRESET",
                .summary =
                    "how often each of some functions or tracepoints is hit, a line a second",
                .details = R"(SOURCE as for `weir trace`.

  weir rate fn:vfs_read fn:vfs_write
  weir rate tp:net:netif_receive_skb tp:skb:kfree_skb -i 5 -n 12
)",
                .options = add_rate_options,
                .run = run_rate};

} // namespace weir::verbs
