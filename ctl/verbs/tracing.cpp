#include "verbs/tracing.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <csignal>
#include <fmt/format.h>
#include <map>
#include <thread>

#include "output/units.h"
#include "text/lexer.h"
#include "verbs/trace_file.h"

namespace weir::verbs {
namespace {

using std::chrono::steady_clock;

volatile std::sig_atomic_t interrupted = 0;

Error expression_error(const char* option, const text::TextError& error) {
    return Error(fmt::format("--{}: column {}: {}", option, error.place.column, error.message),
                 Fault::kUsage);
}

// Whatever is shown is kept too; nullptr: it is not asked for.
Result<std::shared_ptr<TraceFile>> keep_in_file(Context& cx, const TraceWish& wish,
                                                const trace::Session& session) {
    if (wish.file.empty()) {
        return nullptr;
    }
    WEIR_TRY(auto made, TraceFile::create(wish.file, TraceHeader::of(session, "")));
    auto file = std::make_shared<TraceFile>(std::move(made));
    cx.out.keep([file](const output::Json& document, const std::string& text) {
        file->write(document, text);
    });
    return file;
}

} // namespace

void add_tracing(po::options_description& add) {
    add.add_options()("where", po::value<std::string>()->value_name("EXPR"),
                      "only events for which it is true: 'comm == \"nginx\" && skb->len > 100'")(
        "pid,p", po::value<std::string>()->value_name("PID"), "only of this process")(
        "backend", po::value<std::string>()->value_name("NAME"),
        "tp, raw_tp, fentry, kprobe.multi, kprobe or uprobe [the best that the kernel has]")(
        "seconds,d", po::value<std::string>()->value_name("S"),
        "end after so long [when it is interrupted]")(
        "write,w", po::value<std::string>()->value_name("FILE"),
        "also keep it in a file, for `weir trace --read`");
}

Result<std::uint32_t> parse_ring(const po::variables_map& options, std::uint32_t unless_given) {
    constexpr std::uint64_t kKilo = 1024, kLeast = 4 * kKilo, kMost = 1U << 30;
    std::string word = option_text(options, "ring");
    if (word.empty()) {
        return unless_given;
    }
    const std::uint64_t unit = word.back() == 'K' ? kKilo : word.back() == 'M' ? kKilo * kKilo : 1;
    if (unit > 1) {
        word.pop_back();
    }
    WEIR_TRY(const auto units, parse_number(word, "--ring", 1, kMost));
    if (units * unit < kLeast || units * unit > kMost || !std::has_single_bit(units)) {
        return usage(fmt::format("--ring '{}': expected a power of two from 4K to 1024M",
                                 option_text(options, "ring")));
    }
    return static_cast<std::uint32_t>(units * unit);
}

Result<TraceWish> parse_limits(const po::variables_map& options) {
    TraceWish wish;
    if (options.count("backend") > 0) {
        WEIR_TRY(wish.backend, trace::parse_backend(option_text(options, "backend")));
    }
    if (options.count("where") > 0) {
        auto expression = trace::parse_expression(option_text(options, "where"));
        if (!expression) {
            return fail(expression_error("where", expression.error()));
        }
        wish.choice.where = *std::move(expression);
    }
    if (options.count("pid") > 0) {
        constexpr std::uint64_t kMost = 1U << 22; // the kernel's PID_MAX_LIMIT
        WEIR_TRY(const auto pid, parse_number(option_text(options, "pid"), "--pid", 1, kMost));
        wish.choice.pid = static_cast<int>(pid);
    }
    WEIR_TRY(wish.seconds, parse_seconds(options, "seconds"));
    wish.file = option_text(options, "write");
    return wish;
}

Result<TraceWish> parse_wish(const po::variables_map& options, const Words& sources) {
    if (sources.empty()) {
        return usage("SOURCE is missing: fn:vfs_read, tp:skb:kfree_skb, sys:openat, …");
    }
    WEIR_TRY(TraceWish wish, parse_limits(options));
    for (const std::string& each : sources) {
        WEIR_TRY(auto source, trace::parse_source(each));
        wish.sources.push_back(std::move(source));
    }
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

void add_rounds(po::options_description& add) {
    add.add_options()("number,n", po::value<std::string>()->value_name("N"),
                      "end after it was printed so often");
}

Result<std::uint64_t> parse_rounds(const po::variables_map& options) {
    constexpr std::uint64_t kMost = 1'000'000'000;
    if (options.count("number") == 0) {
        return std::uint64_t{0};
    }
    return parse_number(option_text(options, "number"), "-n", 1, kMost);
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

trace::NamedExpression named(const char* name) {
    return {name, {.kind = trace::Expression::Kind::kName, .text = name}};
}

std::vector<trace::Step> steps_of(const std::vector<trace::Source>& sources,
                                  const trace::Step& step) {
    std::vector<trace::Step> steps;
    for (const trace::Source& source : sources) {
        steps.push_back(step);
        steps.back().sources = {source};
    }
    return steps;
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

Result<trace::Session> start_session(const std::vector<trace::Step>& steps, const TraceWish& wish,
                                     kernel::Tracer::Room room, TraceEnd& end, const Ready& ready) {
    const bool opens = std::any_of(steps.begin(), steps.end(), [](const trace::Step& step) {
        return step.sink == trace::Sink::kOpen || step.follows;
    });
    room.open = opens ? std::max(room.open, kOpen) : 1;
    WEIR_TRY(auto session,
             trace::Session::start(trace::points_of(steps, wish.choice), wish.backend, room));
    if (ready) {
        WEIR_CHECK(ready(session));
    }
    const std::size_t count = session.probes().size();
    output::note(output::counted(count, "probe") + " attached");
    end.begin(wish.seconds);
    return session;
}

Result<output::Json> close_session(trace::Session& session) {
    WEIR_TRY(const kernel::TraceBooks books, session.tracer().books());
    std::map<std::string, std::size_t> ways;
    for (const trace::Probe& probe : session.probes()) {
        ways[trace::name(probe.backend)]++;
    }
    output::Json skipped = output::Json::array();
    for (const trace::Skipped& one : session.skipped()) {
        skipped.push_back({{"name", one.name}, {"why", one.why}});
    }
    output::Json closing{{"hits", books.fired},
                         {"events", books.taken},
                         {"refused", books.refused},
                         {"lost", books.lost},
                         {"nested", books.nested},
                         {"missed", books.missed},
                         {"unreadable", books.unreadable},
                         {"backends", ways},
                         {"not_probed", std::move(skipped)}};
    if (books.timed > 0) {
        closing["ns_a_hit"] =
            static_cast<double>(books.timed_ns) / static_cast<double>(books.timed);
    }
    return closing;
}

std::string closing_text(const output::Json& closing) {
    const auto number = [&](const char* key) { return closing.at(key).get<std::uint64_t>(); };
    Words ways;
    for (const auto& [way, count] : closing.at("backends").items()) {
        ways.push_back(fmt::format("{} by {}", count.get<std::size_t>(), way));
    }
    const auto missed = closing.value("missed", std::uint64_t{0}); // older files have none
    std::string text =
        fmt::format("{} of {}, {} lost; probes: {}", output::counted(number("events"), "event"),
                    output::counted(number("hits"), "hit"),
                    number("lost") + number("nested") + missed, join(ways, ", "));
    if (missed > 0) {
        text += fmt::format("; {} were not given to them by the kernel", missed);
    }
    if (closing.contains("ns_a_hit")) {
        text += fmt::format("; {:.0f} ns a hit", closing.at("ns_a_hit").get<double>());
    }
    if (number("unreadable") > 0) {
        text += fmt::format("; {} reads failed, and gave 0", number("unreadable"));
    }
    text += "\n";
    std::map<std::string, Words> reasons;
    for (const output::Json& one : closing.at("not_probed")) {
        reasons[one.at("why").get<std::string>()].push_back(one.at("name").get<std::string>());
    }
    for (const auto& [why, names] : reasons) {
        constexpr std::size_t kShown = 8;
        const Words first(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(
                                                             std::min(kShown, names.size())));
        text += fmt::format(
            "not probed, {}: {}{}\n", why, join(first, ", "),
            names.size() > kShown ? fmt::format(" and {} more", names.size() - kShown) : "");
    }
    return text;
}

Result<> show_closing(Context& cx, trace::Session& session) {
    WEIR_TRY(const output::Json closing, close_session(session));
    cx.out.text(closing_text(closing));
    cx.out.line({{"closing", closing}});
    return {};
}

Result<> run_rounds(Context& cx, const std::vector<trace::Step>& steps, const TraceWish& wish,
                    const kernel::Tracer::Room& room, const Rounds& rounds,
                    const std::function<Result<>(trace::Session&, double seconds)>& show,
                    const Ready& ready) {
    TraceEnd end;
    WEIR_TRY(auto session, start_session(steps, wish, room, end, ready));
    WEIR_TRY(const auto file, keep_in_file(cx, wish, session));
    auto before = steady_clock::now();
    for (std::uint64_t done = 0; rounds.most == 0 || done < rounds.most; done++) {
        const bool more = end.wait(rounds.interval);
        if (!more && !rounds.rest) {
            break;
        }
        const auto now = steady_clock::now();
        WEIR_CHECK(show(session, std::chrono::duration<double>(now - before).count()));
        before = now;
        WEIR_CHECK(file ? file->flush() : Result<>{});
        if (cx.out.flush() != 0) {
            return {}; // nobody reads it any more
        }
        if (!more) {
            break;
        }
    }
    WEIR_CHECK(show_closing(cx, session));
    return file ? file->flush() : Result<>{};
}

} // namespace weir::verbs
