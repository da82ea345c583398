#include <algorithm>
#include <fmt/format.h>

#include "verbs/all.h"
#include "verbs/tracing.h"

namespace weir::verbs {
namespace {

struct Row {
    const trace::Probe* probe;
    std::uint64_t count;
};

Result<std::vector<Row>> rows_of(trace::Session& session) {
    WEIR_TRY(const auto totals, session.tracer().totals(true));
    std::vector<Row> rows;
    for (const auto& [key, total] : totals) {
        if (total.events > 0) {
            rows.push_back({&session.probes().at(key.probe), total.events});
        }
    }
    std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
        return std::tie(b.count, a.probe->name) < std::tie(a.count, b.probe->name);
    });
    return rows;
}

void show_counts(Context& cx, const trace::Session& session, const std::vector<Row>& rows) {
    output::Table table({{"ADDR"}, {"FUNC"}, {"COUNT", output::Align::kRight}});
    output::Json counts = output::Json::array();
    for (const Row& row : rows) {
        const auto address = session.symbols().address(row.probe->name);
        const std::string where = address ? fmt::format("{:016x}", *address) : "-";
        table.row({where, row.probe->name, std::to_string(row.count)});
        output::Json json{{"name", row.probe->name}, {"count", row.count}};
        if (address) {
            json["address"] = where;
        }
        counts.push_back(std::move(json));
    }
    cx.out.text(table.to_string() + "\n");
    cx.out.line({{"counts", std::move(counts)}});
}

Result<> run_count(const po::variables_map& options, const Words& words, Context& cx) {
    WEIR_TRY(const TraceWish wish, parse_wish(options, words));
    Rounds rounds;
    WEIR_TRY(rounds.interval, parse_interval(options));
    WEIR_TRY(rounds.most, parse_rounds(options));
    rounds.rest = rounds.most == 0;
    return run_rounds(cx, steps_of(wish.sources, {.sink = trace::Sink::kCount}), wish,
                      {.totals = kTotals}, rounds,
                      [&](trace::Session& session, double) -> Result<> {
                          WEIR_TRY(const auto rows, rows_of(session));
                          show_counts(cx, session, rows);
                          return {};
                      });
}

void add_count_options(po::options_description& add) {
    add_tracing(add);
    add_interval(add, "print and begin anew every so many seconds [once, at the end]");
    add_rounds(add);
}

} // namespace

const Verb count{.path = "count",
                 .operands = "SOURCE...",
                 .summary = "how often each of many functions or tracepoints is hit",
                 .details = R"(SOURCE as for `weir trace`. Counted in the kernel, for each CPU.

  weir count 'fn:vfs_*' -d 5
  weir count 'tp:net:*' --where 'comm == "nginx"'
)",
                 .options = add_count_options,
                 .run = run_count};

} // namespace weir::verbs
