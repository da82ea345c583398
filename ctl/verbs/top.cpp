#include <algorithm>
#include <cctype>
#include <fmt/format.h>
#include <map>

#include "presets/preset.h"
#include "text/lexer.h"
#include "verbs/all.h"
#include "verbs/lb_sampler.h"
#include "verbs/preset_events.h"
#include "verbs/tracing.h"

namespace weir::verbs {
namespace {

constexpr std::size_t kRows = 20;

struct TopWish {
    TraceWish trace;
    std::vector<trace::Step> steps;
    presets::View view;
    presets::Sampler sample;
    bool of_weir = false;     // the sampler is to be made
    std::size_t rows = kRows; // 0: all
    Rounds rounds;
    bool reverse = false;
};

// --- what is asked for --------------------------------------------------------------------------

// Keys, and how often; with a sum, that and its average.
presets::View view_of(const std::vector<trace::NamedExpression>& by,
                      const std::vector<trace::NamedExpression>& sum) {
    presets::View view;
    for (const trace::NamedExpression& each : by) {
        view.columns.push_back({each.name, each.name});
    }
    view.sort = by.size();
    view.columns.push_back({"COUNT", "count", output::Align::kRight});
    if (!sum.empty()) {
        view.columns.push_back({"SUM(" + sum.front().name + ")", "sum", output::Align::kRight});
        view.columns.push_back({"AVERAGE", "average", output::Align::kRight});
    }
    view.row = [sums = !sum.empty()](const presets::Counted& counted) {
        std::vector<presets::Cell> cells = counted.keys;
        presets::Counted::Totals all;
        for (const auto& place : counted.places) {
            all.events += place.events;
            all.sums[0] += place.sums[0];
        }
        cells.push_back(presets::cell(all.events));
        if (sums) {
            cells.push_back({std::to_string(all.sums[0]), all.sums[0]});
            cells.push_back(presets::cell(
                static_cast<double>(all.sums[0]) / static_cast<double>(all.events), 1));
        }
        return cells;
    };
    return view;
}

Result<> parse_sources(const po::variables_map& options, const Words& words, TopWish& wish) {
    WEIR_TRY(wish.trace, parse_wish(options, words));
    WEIR_TRY(auto by, parse_values(options, "by"));
    WEIR_TRY(const auto sum, parse_values(options, "sum"));
    if (by.empty()) {
        by = {named("pid"), named("comm")};
    }
    if (sum.size() > 1) {
        return usage("--sum: one expression");
    }
    std::vector<trace::NamedExpression> values = by;
    values.insert(values.end(), sum.begin(), sum.end());
    wish.steps =
        steps_of(wish.trace.sources,
                 {.values = std::move(values), .sums = sum.size(), .sink = trace::Sink::kCount});
    wish.view = view_of(by, sum);
    return {};
}

// Any column, by its title or its key.
Result<std::size_t> parse_sort(const std::string& word, const presets::View& view) {
    const auto same = [](std::string_view a, std::string_view b) {
        return std::equal(
            a.begin(), a.end(), b.begin(), b.end(),
            [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
    };
    std::vector<std::string> titles;
    for (std::size_t i = 0; i < view.columns.size(); i++) {
        const presets::View::Column& column = view.columns[i];
        if (same(word, column.title) || same(word, column.key)) {
            return i;
        }
        titles.push_back(column.title);
    }
    return usage(fmt::format("--sort {}: there are {}", word, join(titles, ", ")));
}

Result<TopWish> parse_top(const po::variables_map& options, const Words& words) {
    TopWish wish;
    WEIR_TRY(auto preset, presets::wished("top", words));
    if (preset) {
        if (options.count("by") + options.count("sum") > 0) {
            return usage(fmt::format("{}: has its own --by and --sum", words.front()));
        }
        WEIR_TRY(wish.trace, parse_limits(options));
        wish.steps = std::move(preset->steps);
        wish.view = std::move(preset->view);
        wish.sample = std::move(preset->sample);
        wish.of_weir = preset->of_weir;
        wish.rounds.interval = preset->interval;
    } else {
        WEIR_CHECK(parse_sources(options, words, wish));
    }
    if (options.count("sort") > 0) {
        WEIR_TRY(wish.view.sort, parse_sort(option_text(options, "sort"), wish.view));
    }
    if (options.count("rows") > 0) {
        WEIR_TRY(wish.rows, parse_number(option_text(options, "rows"), "--rows", 0, 1'000'000));
    }
    if (options.count("interval") > 0) {
        WEIR_TRY(wish.rounds.interval, parse_interval(options));
    }
    WEIR_TRY(wish.rounds.most, parse_rounds(options));
    wish.rounds.rest = wish.rounds.most == 0;
    wish.reverse = options.count("reverse") > 0;
    return wish;
}

// --- what is shown ------------------------------------------------------------------------------

// What has the same keys is one, wherever it was counted.
Result<std::vector<presets::Counted>> read_top(trace::Session& session, const TopWish& wish) {
    const trace::Names names = session.names();
    WEIR_TRY(const auto totals, session.tracer().totals(true));
    std::map<std::vector<std::string>, presets::Counted> counted;
    for (const auto& [key, total] : totals) {
        const trace::Probe& probe = session.probes().at(key.probe);
        presets::Counted one{.places = std::vector<presets::Counted::Totals>(wish.steps.size())};
        std::vector<std::string> texts;
        for (const trace::Field& field : probe.fields) {
            one.keys.push_back(field_cell(field, trace::values_of(key), names));
            texts.push_back(one.keys.back().text);
        }
        auto& totals_there =
            counted.try_emplace(std::move(texts), std::move(one)).first->second.places[probe.point];
        totals_there.events += total.events;
        for (std::size_t i = 0; i < TRACE_SUMS; i++) {
            totals_there.sums[i] += static_cast<std::int64_t>(total.sum[i]);
        }
    }
    std::vector<presets::Counted> all;
    for (auto& [texts, one] : counted) {
        all.push_back(std::move(one));
    }
    return all;
}

using Rows = std::vector<std::vector<presets::Cell>>;

Result<Rows> rows_of(std::vector<presets::Counted> counted, const TopWish& wish, double seconds) {
    if (wish.sample) {
        WEIR_CHECK(wish.sample(counted));
    }
    Rows rows;
    for (presets::Counted& one : counted) {
        one.seconds = seconds;
        rows.push_back(wish.view.row(one));
    }
    std::stable_sort(rows.begin(), rows.end(), [&](const auto& a, const auto& b) {
        const output::Json &left = a[wish.view.sort].value, &right = b[wish.view.sort].value;
        return left.is_string() ? left < right : right < left;
    });
    if (wish.reverse) {
        std::reverse(rows.begin(), rows.end());
    }
    return rows;
}

void show_top(Context& cx, const TopWish& wish, const Rows& rows) {
    std::vector<output::Column> columns;
    for (const presets::View::Column& column : wish.view.columns) {
        columns.push_back({column.title, column.align});
    }
    output::Table table(std::move(columns));
    output::Json list = output::Json::array();
    for (const auto& row : rows) {
        output::Json json;
        Words cells;
        for (std::size_t i = 0; i < row.size(); i++) {
            json[wish.view.columns[i].key] = row[i].value;
            cells.push_back(row[i].text);
        }
        list.push_back(std::move(json));
        if (wish.rows == 0 || list.size() <= wish.rows) {
            table.row(std::move(cells));
        }
    }
    const std::size_t hidden =
        wish.rows > 0 && rows.size() > wish.rows ? rows.size() - wish.rows : 0;
    const std::string heading = wish.view.heading ? wish.view.heading() + "\n" : "";
    cx.out.text(heading + table.to_string() +
                (hidden > 0 ? fmt::format("… and {} more\n", hidden) : "") + "\n");
    cx.out.line({{"rows", std::move(list)}});
}

// What is read alone needs no session.
Result<> run_sampler(Context& cx, const TopWish& wish) {
    TraceEnd end;
    std::vector<presets::Counted> nothing;
    WEIR_CHECK(wish.sample(nothing));
    output::note("0 probes attached: what the kernel counts is read");
    end.begin(wish.trace.seconds);
    auto before = std::chrono::steady_clock::now();
    for (std::uint64_t done = 0; wish.rounds.most == 0 || done < wish.rounds.most; done++) {
        const bool more = end.wait(wish.rounds.interval);
        if (!more && !wish.rounds.rest) {
            break;
        }
        const auto now = std::chrono::steady_clock::now();
        WEIR_TRY(const auto rows,
                 rows_of({}, wish, std::chrono::duration<double>(now - before).count()));
        show_top(cx, wish, rows);
        before = now;
        if (cx.out.flush() != 0 || !more) {
            break;
        }
    }
    return {};
}

Result<> run_top(const po::variables_map& options, const Words& words, Context& cx) {
    WEIR_TRY(TopWish wish, parse_top(options, words));
    if (wish.of_weir) {
        WEIR_TRY(wish.sample, lb_sampler(cx));
    }
    if (wish.steps.empty()) {
        if (wish.trace.choice.where || wish.trace.choice.pid != 0 || !wish.trace.file.empty()) {
            return usage(
                fmt::format("{}: nothing is traced that --where and --pid could choose, or -w keep",
                            words.front()));
        }
        return run_sampler(cx, wish);
    }
    return run_rounds(
        cx, wish.steps, wish.trace, {.totals = kTotals, .stacks = kStacks}, wish.rounds,
        [&](trace::Session& session, double seconds) -> Result<> {
            WEIR_TRY(auto counted, read_top(session, wish));
            WEIR_TRY(const auto rows, rows_of(std::move(counted), wish, seconds));
            show_top(cx, wish, rows);
            return {};
        },
        [&](trace::Session&) -> Result<> {
            std::vector<presets::Counted> nothing;
            return wish.sample ? wish.sample(nothing) : Result<>{};
        });
}

void add_top_options(po::options_description& add) {
    const auto text = [](const char* value) { return po::value<std::string>()->value_name(value); };
    auto option = add.add_options();
    option("by", text("EXPRS"),
           "a row for each of these: 'comm', 'func, stack', 'saddr, dport' "
           "[pid, comm]");
    option("sum", text("EXPR"), "also sum this up, and its average");
    option("sort", text("COLUMN"), "the largest first: count, sum, a column of a preset [count]");
    option("reverse", "the smallest first");
    option("rows", text("N"), "at most so many, 0 for all [20]");
    add_interval(add, "print and begin anew every so many seconds [once, at the end]");
    add_rounds(add);
    add_tracing(add);
}

} // namespace

const Verb top{.path = "top",
               .operands = "SOURCE...|@PRESET",
               .summary = "who or what hits a function or tracepoint most",
               .details = R"(SOURCE and expressions as for `weir trace`. Counted in the kernel.

  weir top tp:skb:kfree_skb --by 'reason, func'
  weir top @blk -i 5 -n 3
  weir top fn:tcp_sendmsg --by 'comm, daddr, dport' --sum size --sort sum -i 1
)",
               .options = add_top_options,
               .run = run_top};

} // namespace weir::verbs
