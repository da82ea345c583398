#include <charconv>
#include <fmt/format.h>
#include <map>

#include "output/units.h"
#include "presets/preset.h"
#include "verbs/all.h"
#include "verbs/tracing.h"

namespace weir::verbs {
namespace {

using trace::Expression;
using trace::NamedExpression;
using Kind = trace::Source::Kind;

// What is put into slots, and by what histograms are told apart.
struct HistWish {
    TraceWish trace;
    trace::Scale scale;
    std::string unit;
    std::vector<NamedExpression> value; // one; none: the time between two points
    std::vector<NamedExpression> by;
    std::vector<NamedExpression> id; // one: what the two points have in common
    std::vector<trace::Source> to;   // where the time ends; none: the sources' returns
    Rounds rounds;
    bool idle = false; // of @oncpu and @offcpu: also the idle threads
};

std::vector<NamedExpression> joined(std::vector<NamedExpression> keys,
                                    const NamedExpression& measured) {
    keys.push_back(measured);
    return keys;
}

NamedExpression elapsed(const HistWish& wish) {
    const char* words = wish.unit == "nsecs"   ? "elapsed"
                        : wish.unit == "msecs" ? "elapsed / 1000000"
                                               : "elapsed / 1000";
    return {"elapsed", *trace::parse_expression(words)};
}

std::vector<trace::Step> steps(const HistWish& wish) {
    if (!wish.value.empty()) {
        return steps_of(wish.trace.sources, {.values = joined(wish.by, wish.value.front()),
                                             .sums = 1,
                                             .sink = trace::Sink::kHistogram,
                                             .scale = wish.scale});
    }
    std::vector<trace::Source> ends = wish.to;
    if (wish.to.empty()) {
        for (const trace::Source& source : wish.trace.sources) {
            ends.push_back(*trace::return_of(source));
        }
    }
    // Of a function, entry and return have a space of their own; of two sources, all have one.
    const bool each = wish.to.empty();
    std::vector<trace::Step> all = steps_of(
        wish.trace.sources, {.values = wish.id, .sink = trace::Sink::kOpen, .space_of_each = each});
    const std::vector<trace::Step> closing =
        steps_of(ends, {.closes = trace::Close{wish.id.front().expression},
                        .chosen = false,
                        .values = joined(wish.by, elapsed(wish)),
                        .sums = 1,
                        .sink = trace::Sink::kHistogram,
                        .space_of_each = each,
                        .scale = wish.scale});
    all.insert(all.end(), closing.begin(), closing.end());
    return all;
}

// Of a preset, whose steps open and close; what is measured is the same as elsewhere.
std::vector<trace::Step> steps(const HistWish& wish, const presets::Preset& preset) {
    std::vector<NamedExpression> by = wish.by;
    for (NamedExpression& key : by) {
        key.expression = presets::meant(preset, std::move(key.expression));
    }
    std::vector<trace::Step> all = preset.steps;
    for (trace::Step& step : all) {
        if (wish.idle) {
            step.where.clear();
        }
        if (step.sink == trace::Sink::kHistogram) {
            step.values = joined(by, elapsed(wish));
            step.sums = 1;
            step.scale = wish.scale;
        }
    }
    return all;
}

// --- what is asked for --------------------------------------------------------------------------

// FROM:WIDTH
Result<trace::Scale> parse_linear(const std::string& word) {
    trace::Scale scale{.kind = TRACE_LINEAR};
    const char* end = word.data() + word.size();
    const auto [colon, error] = std::from_chars(word.data(), end, scale.from);
    if (error == std::errc{} && colon != end && *colon == ':') {
        const auto [last, wrong] = std::from_chars(colon + 1, end, scale.width);
        if (wrong == std::errc{} && last == end && scale.width > 0) {
            return scale;
        }
    }
    return usage(fmt::format("--linear '{}': expected FROM:WIDTH, as 0:100: {} slots of {}", word,
                             TRACE_SLOTS, 100));
}

bool is_program(const trace::Source& source) {
    return source.kind == Kind::kXdp || source.kind == Kind::kTc;
}

Result<> parse_ends(const po::variables_map& options, HistWish& wish) {
    for (const std::string& word : options.count("to") > 0 ? options["to"].as<Words>() : Words{}) {
        WEIR_TRY(auto source, trace::parse_source(word));
        wish.to.push_back(std::move(source));
    }
    if (!wish.value.empty()) {
        return wish.to.empty() ? Result<>{}
                               : usage("--to: not with --value: a time has two ends, a value none");
    }
    for (const trace::Source& source : wish.trace.sources) {
        if (wish.to.empty() && source.kind != Kind::kFunction && source.kind != Kind::kUser &&
            !is_program(source)) {
            return usage(
                fmt::format("{}: where does the time end? --to SOURCE; or --value EXPR for "
                            "a histogram of values",
                            source.text));
        }
    }
    return {};
}

Result<HistWish> parse_hist(const po::variables_map& options, const Words& words, bool preset) {
    HistWish wish;
    WEIR_TRY(wish.trace, preset ? parse_limits(options) : parse_wish(options, words));
    WEIR_TRY(wish.value, parse_values(options, "value"));
    WEIR_TRY(wish.by, parse_values(options, "by"));
    WEIR_TRY(wish.id, parse_values(options, "id"));
    if (wish.value.size() > 1 || wish.id.size() > 1) {
        return usage("--value, --id: one expression");
    }
    if (preset && options.count("value") + options.count("id") + options.count("to") > 0) {
        return usage(fmt::format("{}: has its own --value, --id and --to", words.front()));
    }
    if (options.count("idle") > 0 && (!preset || !words.front().ends_with("cpu"))) {
        return usage("--idle: of @oncpu and @offcpu");
    }
    if (wish.id.empty()) {
        // The idle threads of all CPUs have one number, 0: a program is told apart by its packet.
        const auto& sources = wish.trace.sources;
        wish.id.push_back(
            named(std::any_of(sources.begin(), sources.end(), is_program) ? "packet" : "tid"));
    }
    WEIR_CHECK(parse_ends(options, wish));
    wish.unit = "usecs";
    if (!wish.value.empty()) {
        wish.unit = wish.value.front().name;
    } else if (options.count("unit") > 0) {
        WEIR_TRY(const auto at,
                 parse_choice(option_text(options, "unit"), "unit", {"ns", "us", "ms"}));
        wish.unit = std::array{"nsecs", "usecs", "msecs"}[at];
    }
    if (options.count("linear") > 0) {
        WEIR_TRY(wish.scale, parse_linear(option_text(options, "linear")));
    }
    WEIR_TRY(wish.rounds.interval, parse_interval(options));
    WEIR_TRY(wish.rounds.most, parse_rounds(options));
    wish.rounds.rest = wish.rounds.most == 0;
    wish.idle = options.count("idle") > 0;
    return wish;
}

// --- what is shown ------------------------------------------------------------------------------

struct Histogram {
    output::Json keys = output::Json::object();
    std::map<std::uint32_t, std::uint64_t> slots;
    std::uint64_t events = 0;
    std::int64_t sum = 0;
};

Result<std::map<std::string, Histogram>> read_histograms(trace::Session& session) {
    const trace::Names names = session.names();
    WEIR_TRY(const auto totals, session.tracer().totals(true));
    std::map<std::string, Histogram> all;
    for (const auto& [key, total] : totals) {
        std::string title;
        output::Json keys = output::Json::object();
        for (const trace::Field& field : session.probes().at(key.probe).fields) {
            title += fmt::format("{}{} = {}", title.empty() ? "" : ", ", field.name,
                                 trace::value_text(field, trace::values_of(key), names));
            keys[field.name] = trace::value_json(field, trace::values_of(key), names);
        }
        Histogram& histogram = all[title];
        histogram.keys = std::move(keys);
        histogram.slots[key.slot] += total.events;
        histogram.events += total.events;
        histogram.sum += static_cast<std::int64_t>(total.sum[0]);
    }
    return all;
}

void show_histograms(Context& cx, const HistWish& wish,
                     const std::map<std::string, Histogram>& all) {
    output::Json histograms = output::Json::array();
    for (const auto& [title, histogram] : all) {
        cx.out.text(
            fmt::format("{}{}\naverage {:.1f} of {}\n\n", title.empty() ? "" : title + "\n",
                        trace::draw(wish.scale, histogram.slots, wish.unit),
                        static_cast<double>(histogram.sum) / static_cast<double>(histogram.events),
                        output::counted(histogram.events, "event")));
        output::Json slots = output::Json::array();
        for (const auto& [slot, count] : histogram.slots) {
            const trace::Range range = trace::range_of(wish.scale, slot);
            slots.push_back({{"from", range.low}, {"to", range.high}, {"count", count}});
        }
        histograms.push_back({{"keys", histogram.keys},
                              {"events", histogram.events},
                              {"sum", histogram.sum},
                              {"slots", std::move(slots)}});
    }
    cx.out.line({{"unit", wish.unit}, {"histograms", std::move(histograms)}});
}

Result<> run_hist(const po::variables_map& options, const Words& words, Context& cx) {
    WEIR_TRY(const auto preset, presets::wished("hist", words));
    WEIR_TRY(const HistWish wish, parse_hist(options, words, preset.has_value()));
    return run_rounds(cx, preset ? steps(wish, *preset) : steps(wish), wish.trace,
                      {.totals = kTotals, .stacks = kStacks}, wish.rounds,
                      [&](trace::Session& session, double) -> Result<> {
                          WEIR_TRY(const auto histograms, read_histograms(session));
                          show_histograms(cx, wish, histograms);
                          return {};
                      });
}

void add_hist_options(po::options_description& add) {
    const auto text = [](const char* value) { return po::value<std::string>()->value_name(value); };
    auto option = add.add_options();
    option("value", text("EXPR"), "of this value [the time from a function's entry to its return]");
    option("to", po::value<Words>()->composing()->value_name("SOURCE"),
           "where the time ends; may be repeated");
    option("id", text("EXPR"),
           "what both ends of a time have in common: packet, an argument [tid]");
    option("by", text("EXPRS"), "a histogram for each of these: comm, pid, func");
    option("unit", text("ns|us|ms"), "of a time [us]");
    option("idle", "of @oncpu and @offcpu: also the idle threads, pid 0");
    option("linear", text("FROM:WIDTH"), "slots of equal width [powers of two]");
    add_interval(add, "print and begin anew every so many seconds [once, at the end]");
    add_rounds(add);
    add_tracing(add);
}

} // namespace

const Verb hist{.path = "hist",
                .operands = "SOURCE...|@PRESET",
                .summary = "a histogram of a value, or of the time between two points",
                .details =
                    R"(SOURCE and expressions as for `weir trace`. Slots are counted in the kernel.

  weir hist fn:ip_rcv --unit ns
  weir hist tp:net:netif_receive_skb --value len --linear 0:100 --by dev
  weir hist tp:net:netif_receive_skb --to fn:ip_rcv --id packet
)",
                .options = add_hist_options,
                .run = run_hist};

} // namespace weir::verbs
