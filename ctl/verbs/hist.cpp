#include <charconv>
#include <fmt/format.h>
#include <map>

#include "text/lexer.h"
#include "trace/histogram.h"
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
    double interval = 0;
};

// What is fetched, in the order of the numbers: keys, then what is measured.
text::Parsed<trace::Made> finish(trace::RecipeBuilder& builder, const trace::Scale& scale,
                                 std::size_t keys) {
    WEIR_PARSE(trace_recipe recipe, builder.finish());
    recipe.sink = TRACE_HISTOGRAM;
    recipe.measured = recipe.numbers - 1;
    recipe.keys = recipe.numbers - 1;
    recipe.scale = scale.kind;
    recipe.from = scale.from;
    recipe.width = scale.width;
    std::vector<trace::Field> fields = builder.fields();
    fields.resize(keys);
    return trace::Made{recipe, std::move(fields)};
}

text::Parsed<trace::Made> make_value(const HistWish& wish, const trace::Scope& scope,
                                     std::vector<std::string>& words) {
    trace::RecipeBuilder builder(scope, words);
    WEIR_PARSE_CHECK(require(wish.trace, builder));
    for (const NamedExpression& key : wish.by) {
        WEIR_PARSE_CHECK(builder.fetch(key));
    }
    WEIR_PARSE_CHECK(builder.fetch(wish.value.front()));
    return finish(builder, wish.scale, wish.by.size());
}

text::Parsed<trace::Made> make_begin(const HistWish& wish, const trace::Scope& scope,
                                     std::vector<std::string>& words, std::uint16_t space) {
    trace::RecipeBuilder builder(scope, words);
    WEIR_PARSE_CHECK(require(wish.trace, builder));
    WEIR_PARSE_CHECK(builder.fetch(wish.id.front()));
    WEIR_PARSE(trace_recipe recipe, builder.finish());
    recipe.sink = TRACE_OPEN;
    recipe.space = space;
    return trace::Made{recipe, builder.fields()};
}

text::Parsed<trace::Made> make_end(const HistWish& wish, const trace::Scope& scope,
                                   std::vector<std::string>& words, std::uint16_t space) {
    trace::Scope closing = scope;
    closing.closes = true;
    trace::RecipeBuilder builder(closing, words);
    WEIR_PARSE_CHECK(builder.close(wish.id.front().expression, space));
    for (const NamedExpression& key : wish.by) {
        WEIR_PARSE_CHECK(builder.fetch(key));
    }
    const std::string words_of_unit = wish.unit == "nsecs"   ? "elapsed"
                                      : wish.unit == "msecs" ? "elapsed / 1000000"
                                                             : "elapsed / 1000";
    WEIR_PARSE(const Expression elapsed, trace::parse_expression(words_of_unit));
    WEIR_PARSE_CHECK(builder.fetch({"elapsed", elapsed}));
    return finish(builder, wish.scale, wish.by.size());
}

// Of a function, entry and return have a space of their own; of two sources, all have one.
class Spaces {
public:
    explicit Spaces(bool one) : one_(one) {}
    std::uint16_t of(const std::string& name) {
        if (one_) {
            return 0;
        }
        return spaces_.emplace(name, static_cast<std::uint16_t>(spaces_.size())).first->second;
    }

private:
    bool one_;
    std::map<std::string, std::uint16_t> spaces_;
};

std::vector<trace::Point> points(const HistWish& wish) {
    std::vector<trace::Point> all;
    if (!wish.value.empty()) {
        for (const trace::Source& source : wish.trace.sources) {
            all.push_back({source, [&](const trace::Scope& scope, std::vector<std::string>& words) {
                               return make_value(wish, scope, words);
                           }});
        }
        return all;
    }
    const auto spaces = std::make_shared<Spaces>(!wish.to.empty());
    std::vector<trace::Source> ends = wish.to;
    for (const trace::Source& source : wish.trace.sources) {
        all.push_back(
            {source, [&wish, spaces](const trace::Scope& scope, std::vector<std::string>& words) {
                 return make_begin(wish, scope, words, spaces->of(scope.of));
             }});
        if (wish.to.empty()) {
            ends.push_back(source);
            ends.back().kind = source.kind == Kind::kUser ? Kind::kUserReturn : Kind::kReturn;
        }
    }
    for (const trace::Source& source : ends) {
        all.push_back(
            {source, [&wish, spaces](const trace::Scope& scope, std::vector<std::string>& words) {
                 return make_end(wish, scope, words, spaces->of(scope.of));
             }});
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
        if (wish.to.empty() && source.kind != Kind::kFunction && source.kind != Kind::kUser) {
            return usage(
                fmt::format("{}: where does the time end? --to SOURCE; or --value EXPR for "
                            "a histogram of values",
                            source.text));
        }
    }
    return {};
}

Result<HistWish> parse_hist(const po::variables_map& options, const Words& words) {
    HistWish wish;
    WEIR_TRY(wish.trace, parse_wish(options, words));
    WEIR_TRY(wish.value, parse_values(options, "value"));
    WEIR_TRY(wish.by, parse_values(options, "by"));
    WEIR_TRY(wish.id, parse_values(options, "id"));
    if (wish.value.size() > 1 || wish.id.size() > 1) {
        return usage("--value, --id: one expression");
    }
    if (wish.id.empty()) {
        wish.id.push_back({"tid", {.kind = Expression::Kind::kName, .text = "tid"}});
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
    WEIR_TRY(wish.interval, parse_interval(options));
    return wish;
}

// --- what is shown ------------------------------------------------------------------------------

struct Histogram {
    output::Json keys = output::Json::object();
    std::map<std::uint32_t, std::uint64_t> slots;
    std::uint64_t events = 0;
    std::int64_t sum = 0;
};

Result<std::map<std::string, Histogram>> read(trace::Session& session) {
    const trace::Names names{session.symbols(), session.tracer()};
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
        histogram.sum += static_cast<std::int64_t>(total.sum);
    }
    return all;
}

void show(Context& cx, const HistWish& wish, const std::map<std::string, Histogram>& all) {
    output::Json histograms = output::Json::array();
    for (const auto& [title, histogram] : all) {
        cx.out.text(
            fmt::format("{}{}\naverage {:.1f} of {} events\n\n", title.empty() ? "" : title + "\n",
                        trace::draw(wish.scale, histogram.slots, wish.unit),
                        static_cast<double>(histogram.sum) / static_cast<double>(histogram.events),
                        histogram.events));
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

Result<> run(const po::variables_map& options, const Words& words, Context& cx) {
    WEIR_TRY(const HistWish wish, parse_hist(options, words));
    TraceEnd end;
    const kernel::Tracer::Room room{.totals = kTotals, .open = kOpen, .stacks = kStacks};
    WEIR_TRY(auto session, start_session(points(wish), wish.trace, room, end));
    bool more = true;
    while (more) {
        more = end.wait(wish.interval);
        WEIR_TRY(const auto histograms, read(session));
        show(cx, wish, histograms);
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
    option("value", text("EXPR"), "of this value [the time from a function's entry to its return]");
    option("to", po::value<Words>()->composing()->value_name("SOURCE"),
           "where the time ends; may be repeated");
    option("id", text("EXPR"),
           "what both ends of a time have in common: packet, an argument [tid]");
    option("by", text("EXPRS"), "a histogram for each of these: comm, pid, func");
    option("unit", text("ns|us|ms"), "of a time [us]");
    option("linear", text("FROM:WIDTH"), "slots of equal width [powers of two]");
    add_interval(add, "print and begin anew every so many seconds [once, at the end]");
    add_tracing(add);
}

} // namespace

const Verb hist{.path = "hist",
                .operands = "SOURCE...",
                .summary = "a histogram of a value, or of the time between two points",
                .details =
                    R"(SOURCE and expressions as for `weir trace`. Slots are counted in the kernel.

  weir hist fn:ip_rcv --unit ns
  weir hist tp:net:netif_receive_skb --value len --linear 0:100 --by dev
  weir hist tp:net:netif_receive_skb --to fn:ip_rcv --id packet
)",
                .options = add_options,
                .run = run};

} // namespace weir::verbs
