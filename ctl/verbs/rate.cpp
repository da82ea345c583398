#include <ctime>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <map>

#include "verbs/all.h"
#include "verbs/tracing.h"

namespace weir::verbs {
namespace {

// A line of numbers under the probes' names, as vmstat(8) has it.
class Lines {
public:
    Lines(Context& cx, const trace::Session& session) : cx_(cx), session_(session) {
        std::string title = fmt::format("{:<8}", "TIME");
        for (const trace::Probe& probe : session.probes()) {
            title += fmt::format("  {:>{}}", probe.name + "/s", width(probe));
        }
        cx.out.text(title + "\n");
    }

    void show(const std::vector<std::pair<trace_key, trace_total>>& totals, double seconds) {
        std::map<std::uint32_t, std::uint64_t> events;
        for (const auto& [key, total] : totals) {
            events[key.probe] += total.events;
        }
        const std::string time = fmt::format("{:%H:%M:%S}", fmt::localtime(std::time(nullptr)));
        std::string line = time;
        output::Json rates = output::Json::object();
        for (std::uint32_t i = 0; i < session_.probes().size(); i++) {
            const trace::Probe& probe = session_.probes()[i];
            const double rate = static_cast<double>(events[i]) / seconds;
            line += fmt::format("  {:>{}.0f}", rate, width(probe));
            rates[probe.name] = rate;
        }
        cx_.out.text(line + "\n");
        cx_.out.line({{"time", time}, {"seconds", seconds}, {"per_second", std::move(rates)}});
    }

private:
    static std::size_t width(const trace::Probe& probe) {
        constexpr std::size_t kLeast = 7;
        return std::max(kLeast, probe.name.size() + 2);
    }
    Context& cx_;
    const trace::Session& session_;
};

Result<> run(const po::variables_map& options, const Words& words, Context& cx) {
    WEIR_TRY(const TraceWish wish, parse_wish(options, words));
    WEIR_TRY(double interval, parse_interval(options));
    interval = interval > 0 ? interval : 1;
    std::uint64_t most = 0, lines = 0;
    if (options.count("number") > 0) {
        WEIR_TRY(most, parse_number(option_text(options, "number"), "-n", 1, 1'000'000'000));
    }
    TraceEnd end;
    const auto points =
        points_of(wish, {}, [](trace_recipe& recipe) { recipe.sink = TRACE_COUNT; });
    const kernel::Tracer::Room room{.totals = kTotals};
    WEIR_TRY(auto session, start_session(points, wish, room, end));
    Lines out(cx, session);
    auto before = std::chrono::steady_clock::now();
    while ((most == 0 || lines < most) && end.wait(interval)) {
        WEIR_TRY(const auto totals, session.tracer().totals(true));
        const auto now = std::chrono::steady_clock::now();
        out.show(totals, std::chrono::duration<double>(now - before).count());
        before = now;
        lines++;
        if (cx.out.flush() != 0) {
            return {};
        }
    }
    WEIR_TRY(const TraceClosing closing, close_session(session));
    cx.out.text("\n" + closing.text);
    cx.out.line({{"closing", closing.json}});
    return {};
}

void add_options(po::options_description& add) {
    add.add_options()("number,n", po::value<std::string>()->value_name("N"),
                      "end after so many lines");
    add_interval(add, "seconds of a line [1]");
    add_tracing(add);
}

} // namespace

const Verb rate{.path = "rate",
                .operands = "SOURCE...",
                .summary =
                    "how often each of some functions or tracepoints is hit, a line a second",
                .details = R"(SOURCE as for `weir trace`.

  weir rate fn:vfs_read fn:vfs_write
  weir rate tp:net:netif_receive_skb tp:skb:kfree_skb -i 5 -n 12
)",
                .options = add_options,
                .run = run};

} // namespace weir::verbs
