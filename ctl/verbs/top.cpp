#include <algorithm>
#include <fmt/format.h>
#include <tuple>

#include "verbs/all.h"
#include "verbs/tracing.h"

namespace weir::verbs {
namespace {

constexpr std::size_t kRows = 20;

struct TopWish {
    TraceWish trace;
    std::vector<trace::NamedExpression> by;
    std::vector<trace::NamedExpression> sum; // one, or none
    bool by_sum = false;
    std::size_t rows = kRows; // 0: all
    double interval = 0;
};

struct Row {
    std::vector<std::string> cells;
    output::Json json;
    std::uint64_t events = 0;
    std::int64_t sum = 0;
};

Result<TopWish> parse_top(const po::variables_map& options, const Words& words) {
    TopWish wish;
    WEIR_TRY(wish.trace, parse_wish(options, words));
    WEIR_TRY(wish.by, parse_values(options, "by"));
    WEIR_TRY(wish.sum, parse_values(options, "sum"));
    if (wish.by.empty()) {
        wish.by = {{"pid", {.kind = trace::Expression::Kind::kName, .text = "pid"}},
                   {"comm", {.kind = trace::Expression::Kind::kName, .text = "comm"}}};
    }
    if (wish.sum.size() > 1) {
        return usage("--sum: one expression");
    }
    if (options.count("sort") > 0) {
        WEIR_TRY(const auto at,
                 parse_choice(option_text(options, "sort"), "sort", {"count", "sum"}));
        wish.by_sum = at == 1;
        if (wish.by_sum && wish.sum.empty()) {
            return usage("--sort sum: of what? --sum EXPR");
        }
    }
    if (options.count("rows") > 0) {
        WEIR_TRY(wish.rows, parse_number(option_text(options, "rows"), "--rows", 0, 1'000'000));
    }
    WEIR_TRY(wish.interval, parse_interval(options));
    return wish;
}

std::vector<trace::Point> points(const TopWish& wish) {
    std::vector<trace::NamedExpression> values = wish.by;
    values.insert(values.end(), wish.sum.begin(), wish.sum.end());
    const bool sums = !wish.sum.empty();
    return points_of(wish.trace, values, [sums](trace_recipe& recipe) {
        recipe.sink = TRACE_COUNT;
        recipe.keys = recipe.numbers - (sums ? 1 : 0);
        recipe.measured = sums ? recipe.numbers - 1 : 0;
    });
}

// The same keys of several probes are one row.
Result<std::vector<Row>> read(trace::Session& session, const TopWish& wish) {
    const trace::Names names{session.symbols(), session.tracer()};
    WEIR_TRY(const auto totals, session.tracer().totals(true));
    std::map<std::vector<std::string>, Row> rows;
    for (const auto& [key, total] : totals) {
        const auto& fields = session.probes().at(key.probe).fields;
        Row row;
        for (std::size_t i = 0; i < wish.by.size(); i++) {
            const auto value = trace::value_json(fields[i], trace::values_of(key), names);
            row.cells.push_back(value.is_string() ? output::one_line(value.get<std::string>())
                                : value.is_array()
                                    ? trace::value_text(fields[i], trace::values_of(key), names)
                                    : value.dump());
            row.json[fields[i].name] = value;
        }
        Row& place = rows.emplace(row.cells, row).first->second;
        place.events += total.events;
        place.sum += static_cast<std::int64_t>(total.sum);
    }
    std::vector<Row> sorted;
    for (auto& [cells, row] : rows) {
        sorted.push_back(std::move(row));
    }
    std::stable_sort(sorted.begin(), sorted.end(), [&](const Row& a, const Row& b) {
        return wish.by_sum ? b.sum < a.sum : b.events < a.events;
    });
    return sorted;
}

void show(Context& cx, const TopWish& wish, const std::vector<Row>& rows) {
    std::vector<output::Column> columns;
    for (const trace::NamedExpression& each : wish.by) {
        columns.push_back({each.name});
    }
    columns.push_back({"COUNT", output::Align::kRight});
    if (!wish.sum.empty()) {
        columns.push_back({"SUM(" + wish.sum.front().name + ")", output::Align::kRight});
        columns.push_back({"AVERAGE", output::Align::kRight});
    }
    output::Table table(std::move(columns));
    output::Json list = output::Json::array();
    for (const Row& row : rows) {
        output::Json json = row.json;
        json["count"] = row.events;
        if (!wish.sum.empty()) {
            json["sum"] = row.sum;
        }
        list.push_back(std::move(json));
        if (wish.rows > 0 && list.size() > wish.rows) {
            continue;
        }
        std::vector<std::string> cells = row.cells;
        cells.push_back(std::to_string(row.events));
        if (!wish.sum.empty()) {
            cells.push_back(std::to_string(row.sum));
            cells.push_back(fmt::format("{:.1f}", static_cast<double>(row.sum) /
                                                      static_cast<double>(row.events)));
        }
        table.row(std::move(cells));
    }
    const std::size_t hidden =
        wish.rows > 0 && rows.size() > wish.rows ? rows.size() - wish.rows : 0;
    cx.out.text(table.to_string() +
                (hidden > 0 ? fmt::format("… and {} rows more\n", hidden) : "") + "\n");
    cx.out.line({{"rows", std::move(list)}});
}

Result<> run(const po::variables_map& options, const Words& words, Context& cx) {
    WEIR_TRY(const TopWish wish, parse_top(options, words));
    TraceEnd end;
    const kernel::Tracer::Room room{.totals = kTotals, .stacks = kStacks};
    WEIR_TRY(auto session, start_session(points(wish), wish.trace, room, end));
    bool more = true;
    while (more) {
        more = end.wait(wish.interval);
        WEIR_TRY(const auto rows, read(session, wish));
        show(cx, wish, rows);
        if (cx.out.flush() != 0) {
            return {};
        }
    }
    WEIR_TRY(const TraceClosing closing, close_session(session));
    cx.out.text(closing.text);
    cx.out.line({{"closing", closing.json}});
    return {};
}

void add_options(po::options_description& add) {
    const auto text = [](const char* value) { return po::value<std::string>()->value_name(value); };
    auto option = add.add_options();
    option("by", text("EXPRS"),
           "a row for each of these: 'comm', 'func, stack', 'saddr, dport' "
           "[pid, comm]");
    option("sum", text("EXPR"), "also sum this up, and its average");
    option("sort", text("count|sum"), "the largest first [count]");
    option("rows", text("N"), "at most so many, 0 for all [20]");
    add_interval(add, "print and begin anew every so many seconds [once, at the end]");
    add_tracing(add);
}

} // namespace

const Verb top{.path = "top",
               .operands = "SOURCE...",
               .summary = "who or what hits a function or tracepoint most",
               .details = R"(SOURCE and expressions as for `weir trace`. Counted in the kernel.

  weir top tp:skb:kfree_skb --by 'reason, func'
  weir top fn:tcp_sendmsg --by 'comm, daddr, dport' --sum size --sort sum -i 1
)",
               .options = add_options,
               .run = run};

} // namespace weir::verbs
