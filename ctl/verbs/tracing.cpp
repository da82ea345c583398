#include "verbs/tracing.h"

#include <algorithm>
#include <charconv>
#include <csignal>
#include <fmt/format.h>
#include <map>
#include <thread>

#include "text/lexer.h"

namespace weir::verbs {
namespace {

using std::chrono::steady_clock;

volatile std::sig_atomic_t interrupted = 0;

Error expression_error(const char* option, const text::TextError& error) {
    return Error(fmt::format("--{}: column {}: {}", option, error.place.column, error.message),
                 Fault::kUsage);
}

std::vector<trace::Point>
points(const TraceWish& wish,
       const std::function<text::Parsed<void>(trace::RecipeBuilder&, const trace::Scope&)>& fetch,
       const SetSink& sink) {
    std::vector<trace::Point> all;
    for (const trace::Source& source : wish.sources) {
        all.push_back(
            {source,
             [&wish, fetch, sink](const trace::Scope& scope,
                                  std::vector<std::string>& words) -> text::Parsed<trace::Made> {
                 trace::RecipeBuilder builder(scope, words);
                 WEIR_PARSE_CHECK(require(wish, builder));
                 WEIR_PARSE_CHECK(fetch(builder, scope));
                 WEIR_PARSE(trace_recipe recipe, builder.finish());
                 sink(recipe);
                 return trace::Made{recipe, builder.fields()};
             },
             wish.pid});
    }
    return all;
}

// Names of a scope that can be shown as they are.
std::vector<std::string> shown_names(const trace::Scope& scope) {
    std::vector<std::string> names;
    for (const auto& [name, type] : scope.arguments) {
        if (!name.empty()) {
            names.push_back(name);
        }
    }
    for (const trace::RecordField& field : scope.record) {
        if (field.shape != trace::RecordField::Shape::kOctets) {
            names.push_back(field.name);
        }
    }
    if (scope.result) {
        names.emplace_back("retval");
    }
    return names;
}

} // namespace

void add_tracing(po::options_description& add) {
    add.add_options()("where", po::value<std::string>()->value_name("EXPR"),
                      "only events for which it is true: 'comm == \"nginx\" && skb->len > 100'")(
        "pid,p", po::value<std::string>()->value_name("PID"), "only of this process")(
        "backend", po::value<std::string>()->value_name("NAME"),
        "tp, raw_tp, fentry, kprobe.multi, kprobe or uprobe [the best that the kernel has]")(
        "seconds,d", po::value<std::string>()->value_name("S"),
        "end after so long [when it is interrupted]");
}

Result<TraceWish> parse_wish(const po::variables_map& options, const Words& sources) {
    TraceWish wish;
    if (sources.empty()) {
        return usage("SOURCE is missing: fn:vfs_read, tp:skb:kfree_skb, sys:openat, …");
    }
    for (const std::string& each : sources) {
        WEIR_TRY(auto source, trace::parse_source(each));
        wish.sources.push_back(std::move(source));
    }
    if (options.count("backend") > 0) {
        WEIR_TRY(wish.backend, trace::parse_backend(option_text(options, "backend")));
    }
    if (options.count("where") > 0) {
        const std::string where = option_text(options, "where");
        auto expression = trace::parse_expression(where);
        if (!expression) {
            return fail(expression_error("where", expression.error()));
        }
        wish.where = std::make_unique<trace::Expression>(*std::move(expression));
    }
    if (options.count("pid") > 0) {
        constexpr std::uint64_t kMost = 1U << 22; // the kernel's PID_MAX_LIMIT
        WEIR_TRY(const auto pid, parse_number(option_text(options, "pid"), "--pid", 1, kMost));
        wish.pid = static_cast<int>(pid);
    }
    WEIR_TRY(wish.seconds, parse_seconds(options, "seconds"));
    return wish;
}

Result<double> parse_seconds(const po::variables_map& options, const char* name) {
    constexpr double kLongest = 1e6;
    if (options.count(name) == 0) {
        return 0.0;
    }
    const std::string word = option_text(options, name);
    double seconds = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), seconds);
    if (error != std::errc{} || end != word.data() + word.size() || !(seconds > 0) ||
        seconds > kLongest) {
        return usage(
            fmt::format("--{} '{}': expected seconds, above 0 and to 1000000", name, word));
    }
    return seconds;
}

void add_interval(po::options_description& add, const char* what) {
    add.add_options()("interval,i", po::value<std::string>()->value_name("S"), what);
}

Result<double> parse_interval(const po::variables_map& options) {
    return parse_seconds(options, "interval");
}

Result<std::vector<trace::NamedExpression>> parse_values(const po::variables_map& options,
                                                         const char* option) {
    const std::string source = option_text(options, option);
    if (source.empty()) {
        return std::vector<trace::NamedExpression>{};
    }
    auto list = trace::parse_list(source);
    if (!list) {
        return fail(expression_error(option, list.error()));
    }
    return *std::move(list);
}

text::Parsed<void> require(const TraceWish& wish, trace::RecipeBuilder& builder) {
    if (wish.pid != 0) {
        using Kind = trace::Expression::Kind;
        const trace::Expression is_it{
            .kind = Kind::kBinary,
            .text = "==",
            .children = {{.kind = Kind::kName, .text = "self_pid"},
                         {.kind = Kind::kNumber, .number = static_cast<std::uint64_t>(wish.pid)}}};
        WEIR_PARSE_CHECK(builder.require(is_it));
    }
    return wish.where ? builder.require(*wish.where) : text::Parsed<void>{};
}

std::vector<trace::Point> points_of(const TraceWish& wish,
                                    const std::vector<trace::NamedExpression>& values,
                                    const SetSink& sink) {
    return points(
        wish,
        [values](trace::RecipeBuilder& builder, const trace::Scope&) -> text::Parsed<void> {
            for (const trace::NamedExpression& each : values) {
                WEIR_PARSE_CHECK(builder.fetch(each));
            }
            return {};
        },
        sink);
}

std::vector<trace::Point> points_with_all_arguments(const TraceWish& wish, const SetSink& sink) {
    return points(
        wish,
        [](trace::RecipeBuilder& builder, const trace::Scope& scope) -> text::Parsed<void> {
            for (const std::string& name : shown_names(scope)) {
                const trace::Expression expression{.kind = trace::Expression::Kind::kName,
                                                   .text = name};
                // What does not fit an event, or is a structure by value, is left out.
                (void)builder.fetch({name, expression});
            }
            return {};
        },
        sink);
}

TraceEnd::TraceEnd() {
    struct sigaction action {};
    action.sa_handler = [](int) { interrupted = 1; }; // without SA_RESTART: waits end
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
        sigaction(signal, &action, nullptr);
    }
}

void TraceEnd::begin(double seconds) {
    ends_ = seconds > 0;
    end_ = steady_clock::now() + std::chrono::duration_cast<steady_clock::duration>(
                                     std::chrono::duration<double>(seconds));
}

bool TraceEnd::reached() const {
    return interrupted != 0 || (ends_ && steady_clock::now() >= end_);
}

int TraceEnd::wait_ms(int most) const {
    if (!ends_) {
        return most;
    }
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(end_ - steady_clock::now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left + 1, 0, most));
}

bool TraceEnd::wait(double seconds) const {
    constexpr auto kLook = std::chrono::milliseconds(20); // a signal may come right before a wait
    const auto until = steady_clock::now() + std::chrono::duration_cast<steady_clock::duration>(
                                                 std::chrono::duration<double>(seconds));
    while (!reached()) {
        const auto now = steady_clock::now();
        if (seconds > 0 && now >= until) {
            return true;
        }
        std::this_thread::sleep_for(
            seconds > 0 ? std::min<steady_clock::duration>(kLook, until - now) : kLook);
    }
    return false;
}

Result<trace::Session> start_session(const std::vector<trace::Point>& points, const TraceWish& wish,
                                     const kernel::Tracer::Room& room, TraceEnd& end) {
    WEIR_TRY(auto session, trace::Session::start(points, wish.backend, room));
    const std::size_t count = session.probes().size();
    output::note(fmt::format("{} probe{} attached", count, count == 1 ? "" : "s"));
    end.begin(wish.seconds);
    return session;
}

Result<TraceClosing> close_session(trace::Session& session) {
    WEIR_TRY(const trace_books books, session.tracer().books());
    const double each =
        books.timed == 0 ? 0
                         : static_cast<double>(books.timed_ns) / static_cast<double>(books.timed);
    std::map<std::string, std::size_t> ways;
    for (const trace::Probe& probe : session.probes()) {
        ways[trace::name(probe.backend)]++;
    }
    std::string by;
    output::Json backends = output::Json::object(), skipped = output::Json::array();
    for (const auto& [way, count] : ways) {
        by += fmt::format("{}{} by {}", by.empty() ? "" : ", ", count, way);
        backends[way] = count;
    }
    TraceClosing closing;
    closing.text = fmt::format("{} events of {} hits, {} lost; probes: {}", books.taken,
                               books.fired, books.lost + books.nested, by);
    if (books.timed > 0) {
        closing.text += fmt::format("; {:.0f} ns a hit", each);
    }
    if (books.unreadable > 0) {
        closing.text += fmt::format("; {} reads failed, and gave 0", books.unreadable);
    }
    closing.text += "\n";
    std::map<std::string, Words> reasons;
    for (const trace::Skipped& one : session.skipped()) {
        reasons[one.why].push_back(one.name);
        skipped.push_back({{"name", one.name}, {"why", one.why}});
    }
    for (const auto& [why, names] : reasons) {
        constexpr std::size_t kShown = 8;
        const Words first(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(
                                                             std::min(kShown, names.size())));
        closing.text += fmt::format(
            "not probed, {}: {}{}\n", why, join(first, ", "),
            names.size() > kShown ? fmt::format(" and {} more", names.size() - kShown) : "");
    }
    closing.json = {{"hits", books.fired},
                    {"events", books.taken},
                    {"refused", books.refused},
                    {"lost", books.lost},
                    {"nested", books.nested},
                    {"unreadable", books.unreadable},
                    {"backends", std::move(backends)},
                    {"not_probed", std::move(skipped)}};
    if (books.timed > 0) {
        closing.json["ns_a_hit"] = each;
    }
    return closing;
}

} // namespace weir::verbs
