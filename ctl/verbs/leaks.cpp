#include <algorithm>
#include <ctime>
#include <filesystem>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fstream>

#include "text/lexer.h"
#include "verbs/all.h"
#include "verbs/tracing.h"

namespace weir::verbs {
namespace {

using trace::Sink;
using trace::StepWords;

// What is opened: calls between their entry and return, and memory between its allocation and its
// release.
enum Space : std::uint16_t { kMemory, kCall };
// Numbers of what waits to be released; of a call, what its return needs.
enum Number { kId, kSize, kStack, kProcess };

std::vector<StepWords> kernel_steps() {
    std::vector<StepWords> steps;
    for (const char* allocation : {"tp:kmem:kmalloc", "tp:kmem:kmem_cache_alloc"}) {
        steps.push_back(
            {.source = allocation, .values = "ptr, bytes_alloc, stack", .sink = Sink::kOpen});
    }
    for (const char* release : {"tp:kmem:kfree", "tp:kmem:kmem_cache_free"}) {
        steps.push_back({.source = release, .closes = "ptr", .chosen = false});
    }
    return steps;
}

// What is asked for is known when a function is called, where it lies when it returns. What never
// began does not end, so that the user's choice matters where it begins.
std::vector<StepWords> user_steps(const std::string& library) {
    std::vector<StepWords> steps;
    const auto allocation = [&](const char* function, const char* noted, const char* succeeded,
                                const char* memory) {
        steps.push_back({.source = "u:" + library + ":" + function,
                         .values = noted,
                         .sink = Sink::kOpen,
                         .space = kCall});
        steps.push_back({.source = "uret:" + library + ":" + function,
                         .closes = "tid",
                         .closes_in = kCall,
                         .chosen = false,
                         .where = succeeded,
                         .values = memory,
                         .sink = Sink::kOpen});
    };
    for (const auto& [function, noted] :
         {std::pair{"malloc", "tid, arg0"}, std::pair{"calloc", "tid, arg0 * arg1"},
          std::pair{"realloc", "tid, arg1"}, std::pair{"memalign", "tid, arg1"},
          std::pair{"aligned_alloc", "tid, arg1"}, std::pair{"valloc", "tid, arg0"},
          std::pair{"pvalloc", "tid, arg0"}}) {
        allocation(function, noted, "retval != 0", "retval, saved1, ustack");
    }
    allocation("posix_memalign", "tid, arg2, arg0", "retval == 0", "*saved2, saved1, ustack");
    for (const char* release : {"realloc", "free"}) {
        steps.push_back(
            {.source = "u:" + library + ":" + release, .closes = "arg0", .chosen = false});
    }
    return steps;
}

// --- what is asked for --------------------------------------------------------------------------

struct LeaksWish {
    TraceWish trace;
    std::vector<trace::Step> steps;
    bool user = false; // stacks are of processes
    bool sized = true; // each has a number of octets
    double older = 0;
    std::size_t top = 10;
    bool each = false; // every allocation, not only their stacks
    Rounds rounds;
};

// The process's own C library; of a program without one, the program.
Result<std::string> library_of(int pid) {
    const std::string process = fmt::format("/proc/{}", pid);
    std::ifstream maps(process + "/maps");
    for (std::string line; std::getline(maps, line);) {
        const std::size_t path = line.find('/');
        if (path != std::string::npos && line.find("libc.so", path) != std::string::npos) {
            return process + "/root" + line.substr(path);
        }
    }
    if (!maps.is_open()) {
        return fail(fmt::format("--pid {}: no such process", pid));
    }
    return process + "/exe";
}

bool of_processes(const trace::Source& source) {
    using Kind = trace::Source::Kind;
    return source.kind == Kind::kUser || source.kind == Kind::kUserReturn ||
           source.kind == Kind::kUsdt || source.kind == Kind::kSyscall ||
           source.kind == Kind::kSyscallReturn;
}

// SOURCE… --to SOURCE --id EXPR
Result<> parse_pairs(const po::variables_map& options, const Words& words, LeaksWish& wish) {
    WEIR_TRY(wish.trace, parse_wish(options, words));
    std::vector<trace::Source> ends;
    for (const std::string& word : options.count("to") > 0 ? options["to"].as<Words>() : Words{}) {
        WEIR_TRY(auto source, trace::parse_source(word));
        ends.push_back(std::move(source));
    }
    WEIR_TRY(const auto id, parse_values(options, "id"));
    WEIR_TRY(auto end_id, parse_values(options, "to-id"));
    WEIR_TRY(auto size, parse_values(options, "size"));
    if (ends.empty()) {
        return usage(fmt::format("{}: where is it closed? --to SOURCE", words.front()));
    }
    if (id.empty()) {
        return usage(fmt::format("{}: what do opening and closing have in common? --id EXPR",
                                 words.front()));
    }
    if (id.size() > 1 || end_id.size() > 1 || size.size() > 1) {
        return usage("--id, --to-id, --size: one expression");
    }
    if (end_id.empty()) {
        end_id = id;
    }
    wish.sized = !size.empty();
    if (size.empty()) {
        size.push_back({"0", {}});
    }
    const auto& begins = wish.trace.sources;
    wish.user = std::all_of(begins.begin(), begins.end(), of_processes);
    wish.steps = steps_of(
        begins, {.values = {id.front(), size.front(), named(wish.user ? "ustack" : "stack")},
                 .sink = Sink::kOpen});
    const auto closing =
        steps_of(ends, {.closes = trace::Close{end_id.front().expression}, .chosen = false});
    wish.steps.insert(wish.steps.end(), closing.begin(), closing.end());
    return {};
}

// @malloc, @kmalloc
Result<> parse_preset(const po::variables_map& options, const Words& words, LeaksWish& wish) {
    WEIR_CHECK(at_most(words, 1));
    WEIR_TRY(const auto at, parse_choice(words.front(), "allocations", {"@malloc", "@kmalloc"}));
    if (options.count("to") + options.count("id") + options.count("to-id") + options.count("size") >
        0) {
        return usage(fmt::format("{}: has its own --to, --id and --size", words.front()));
    }
    WEIR_TRY(wish.trace, parse_limits(options));
    wish.user = at == 0;
    if (wish.user && wish.trace.choice.pid == 0) {
        return usage("@malloc: of which process? --pid PID");
    }
    std::string library = option_text(options, "library");
    if (wish.user && library.empty()) {
        WEIR_TRY(library, library_of(wish.trace.choice.pid));
    }
    WEIR_TRY(wish.steps, trace::parse_steps(wish.user ? user_steps(library) : kernel_steps()));
    return {};
}

// --min-size, --max-size: what else is opened is left out by the kernel side.
Result<> choose_sizes(const po::variables_map& options, LeaksWish& wish) {
    using Kind = trace::Expression::Kind;
    std::uint64_t least = 0;
    for (const auto& [option, comparison] : {std::pair{"min-size", ">="}, {"max-size", "<="}}) {
        if (options.count(option) == 0) {
            continue;
        }
        if (!wish.sized) {
            return usage(fmt::format("--{}: of what? --size EXPR", option));
        }
        constexpr std::uint64_t kMost = std::uint64_t{1} << 62;
        WEIR_TRY(const auto octets, parse_number(option_text(options, option),
                                                 fmt::format("--{}", option), 0, kMost));
        if (octets < least) {
            return usage(fmt::format("--max-size {}: less than --min-size {}", octets, least));
        }
        least = octets;
        for (trace::Step& step : wish.steps) {
            if (step.sink == Sink::kOpen && step.space == kMemory) {
                step.where.push_back(
                    {.kind = Kind::kBinary,
                     .text = comparison,
                     .children = {step.values.at(kSize).expression,
                                  {.kind = Kind::kNumber, .number = octets}}});
            }
        }
    }
    return {};
}

Result<LeaksWish> parse_leaks(const po::variables_map& options, const Words& words) {
    LeaksWish wish;
    WEIR_TRY(const std::string first, operand(words, 0, "SOURCE...|@malloc|@kmalloc"));
    WEIR_CHECK(first.starts_with('@') ? parse_preset(options, words, wish)
                                      : parse_pairs(options, words, wish));
    WEIR_CHECK(choose_sizes(options, wish));
    wish.each = options.count("show-allocs") > 0;
    WEIR_TRY(wish.older, parse_seconds(options, "older"));
    if (options.count("top") > 0) {
        WEIR_TRY(wish.top, parse_number(option_text(options, "top"), "--top", 1, 1'000'000));
    }
    WEIR_TRY(wish.rounds.interval, parse_interval(options));
    WEIR_TRY(wish.rounds.most, parse_rounds(options));
    wish.rounds.rest = wish.rounds.most == 0;
    return wish;
}

// --- what is shown ------------------------------------------------------------------------------

struct Leak {
    std::int64_t stack = 0;
    int process = 0; // whose stack it is
    std::uint64_t octets = 0;
    std::uint64_t allocations = 0;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> each = {}; // address or id, octets
};

Result<std::vector<Leak>> read_leaks(const LeaksWish& wish, trace::Session& session) {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    const double seconds =
        static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
    WEIR_TRY(const auto open, session.tracer().open());
    std::map<std::pair<std::int64_t, int>, Leak> by_stack;
    for (const auto& [key, opened] : open) {
        if (key.space != kMemory ||
            seconds - 1e-9 * static_cast<double>(opened.time) < wish.older) {
            continue;
        }
        const auto stack = static_cast<std::int64_t>(opened.number[kStack]);
        const int process = wish.user ? static_cast<int>(opened.number[kProcess]) : 0;
        Leak& leak = by_stack[{stack, process}];
        leak.stack = stack;
        leak.process = process;
        leak.octets += opened.number[kSize];
        leak.allocations++;
        if (wish.each) {
            leak.each.emplace_back(key.id, opened.number[kSize]);
        }
    }
    std::vector<Leak> leaks;
    for (const auto& [stack, leak] : by_stack) {
        leaks.push_back(leak);
    }
    std::stable_sort(leaks.begin(), leaks.end(), [](const Leak& a, const Leak& b) {
        return std::pair(a.octets, a.allocations) > std::pair(b.octets, b.allocations);
    });
    return leaks;
}

class Report {
public:
    Report(Context& cx, const LeaksWish& wish, trace::Session& session)
        : cx_(cx), wish_(wish), session_(session) {}

    void show(const std::vector<Leak>& leaks) {
        const std::size_t shown = std::min(wish_.top, leaks.size());
        std::string text =
            fmt::format("[{:%H:%M:%S}] Top {} stacks with outstanding allocations:\n",
                        fmt::localtime(std::time(nullptr)), shown);
        output::Json list = output::Json::array();
        for (const Leak& leak : leaks) {
            const Words lines = stack(leak);
            output::Json json = output::Json::object();
            if (wish_.sized) {
                json["octets"] = leak.octets;
            }
            json["allocations"] = leak.allocations;
            json["stack"] = lines;
            if (wish_.each) {
                json["each"] = each(leak);
            }
            list.push_back(std::move(json));
            if (list.size() <= shown) {
                for (const auto& [id, octets] : leak.each) {
                    text += wish_.sized ? fmt::format("\taddr = {:x} size = {}\n", id, octets)
                                        : fmt::format("\tid = {:x}\n", id);
                }
                text += wish_.sized
                            ? fmt::format("\t{} bytes in {} allocations from stack\n", leak.octets,
                                          leak.allocations)
                            : fmt::format("\t{} not closed, from stack\n", leak.allocations);
                for (const std::string& line : lines) {
                    text += "\t\t" + output::one_line(line) + "\n";
                }
            }
        }
        cx_.out.text(text + "\n");
        cx_.out.line({{"leaks", std::move(list)}});
    }

private:
    output::Json each(const Leak& leak) const {
        output::Json list = output::Json::array();
        for (const auto& [id, octets] : leak.each) {
            output::Json one{{"id", fmt::format("0x{:x}", id)}};
            if (wish_.sized) {
                one["octets"] = octets;
            }
            list.push_back(std::move(one));
        }
        return list;
    }

    Words stack(const Leak& leak) {
        return wish_.user ? trace::user_stack_lines(leak.stack, leak.process, session_.names())
                          : trace::stack_lines(leak.stack, session_.names());
    }

    Context& cx_;
    const LeaksWish& wish_;
    trace::Session& session_;
};

Result<> run_leaks(const po::variables_map& options, const Words& words, Context& cx) {
    WEIR_TRY(const LeaksWish wish, parse_leaks(options, words));
    std::optional<Report> report;
    return run_rounds(cx, wish.steps, wish.trace, {.open = 1U << 20, .stacks = kStacks},
                      wish.rounds, [&](trace::Session& session, double) -> Result<> {
                          WEIR_TRY(const auto leaks, read_leaks(wish, session));
                          if (!report) {
                              report.emplace(cx, wish, session);
                          }
                          report->show(leaks);
                          return {};
                      });
}

void add_leaks_options(po::options_description& add) {
    const auto text = [](const char* value) { return po::value<std::string>()->value_name(value); };
    auto option = add.add_options();
    option("to", po::value<Words>()->value_name("SOURCE"), "where it is closed; may be repeated");
    option("id", text("EXPR"), "what opening and closing have in common");
    option("to-id", text("EXPR"), "the same, as the closing knows it [that of --id]");
    option("size", text("EXPR"), "octets, where it is opened");
    option("older,o", text("S"), "only what is older than so many seconds [all]");
    option("top,T", text("N"), "stacks that are shown [10]");
    option("show-allocs,a", "each allocation too, with its address");
    option("min-size,z", text("OCTETS"), "only what is at least so large");
    option("max-size,Z", text("OCTETS"), "only what is at most so large");
    option("library", text("FILE"), "where malloc is [the process's C library]");
    add_interval(add, "print every so many seconds [once, at the end]");
    add_rounds(add);
    add_tracing(add);
}

} // namespace

const Verb leaks{
    .path = "leaks",
    .operands = "SOURCE...|@malloc|@kmalloc",
    .summary = "what was opened and not closed, by stack: memory of a process or of the kernel",
    .details =
        R"(Of a process (@malloc: malloc, calloc, realloc, memalign, aligned_alloc, posix_memalign, valloc,
pvalloc) or of the kernel (@kmalloc: kmalloc and caches). Only what is allocated while the command runs
is seen.

Other pairs are named by where they open, where they close (--to) and what tells one from another (--id).

  weir leaks @malloc --pid 1234 -d 60 --older 10
  weir leaks @malloc --pid 1234 --min-size 4096 --show-allocs
  weir leaks @kmalloc --where 'comm == "modprobe"' -d 5
  weir leaks ret:alloc_empty_file --to fn:__fput --id retval --to-id file -d 60
)",
    .options = add_leaks_options,
    .run = run_leaks};

} // namespace weir::verbs
