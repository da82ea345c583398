#include "bench/trace/trace_case.h"

#include <sys/prctl.h>

#include <array>
#include <cstdlib>
#include <fmt/format.h>

namespace weir::bench {
namespace {

using trace::Backend;
using trace::Sink;
using trace::StepWords;

// prctl(2) renames the thread by __set_task_comm(), where the tracepoint task_rename is.
void rename_thread(std::uint64_t times) {
    for (std::uint64_t i = 0; i < times; i++) {
        prctl(PR_SET_NAME, (i & 1) == 0 ? "weir-bench-a" : "weir-bench-b");
    }
}

void call_labs(std::uint64_t times) {
    // By a pointer that the compiler cannot see through: a call into libc.
    long (*volatile function)(long) = &std::labs;
    for (std::uint64_t i = 0; i < times; i++) {
        function(static_cast<long>(i));
    }
}

constexpr std::size_t kRename = 0, kLabs = 1;

struct Place {
    Backend way;
    std::size_t activity;
    const char* source;
    const char* back;      // the return; nullptr: it has none
    const char* arguments; // a number and a text, or a number
    // The same in bpftrace's words.
    const char* probe;
    const char* probe_back;
    const char* printed; // arguments of printf()
};

constexpr std::array kPlaces = {
    Place{Backend::kTracepoint, kRename, "tp:task:task_rename", nullptr, "pid, newcomm",
          "tracepoint:task:task_rename", nullptr, R"("%d %s\n", args->pid, args->newcomm)"},
    Place{Backend::kRawTracepoint, kRename, "raw:task_rename", nullptr, "task->pid, task->comm",
          "rawtracepoint:task_rename", nullptr,
          R"("%d %s\n", ((struct task_struct *)arg0)->pid, ((struct task_struct *)arg0)->comm)"},
    Place{Backend::kFentry, kRename, "fn:__set_task_comm", "ret:__set_task_comm",
          "tsk->pid, tsk->comm", "kfunc:__set_task_comm", "kretfunc:__set_task_comm",
          R"("%d %s\n", args->tsk->pid, args->tsk->comm)"},
    Place{Backend::kMulti, kRename, "fn:__set_task_comm", "ret:__set_task_comm",
          "tsk->pid, tsk->comm", nullptr, nullptr, nullptr},
    Place{Backend::kKprobe, kRename, "fn:__set_task_comm", "ret:__set_task_comm",
          "tsk->pid, tsk->comm", "kprobe:__set_task_comm", "kretprobe:__set_task_comm",
          R"("%d %s\n", ((struct task_struct *)arg0)->pid, ((struct task_struct *)arg0)->comm)"},
    Place{Backend::kUprobe, kLabs, "u:libc.so.6:labs", "uret:libc.so.6:labs", "arg0",
          "uprobe:/lib/x86_64-linux-gnu/libc.so.6:labs",
          "uretprobe:/lib/x86_64-linux-gnu/libc.so.6:labs", R"("%d\n", arg0)"},
};

struct Recipe {
    const char* name;
    const char* what;
    std::vector<StepWords> (*steps)(const Place& place);
    std::string (*program)(const Place& place);
};

const std::array<Recipe, 4>& recipes() {
    static const std::array<Recipe, 4> all = {
        Recipe{"count", "counts",
               [](const Place& at) {
                   return std::vector{StepWords{.source = at.source, .sink = Sink::kCount}};
               },
               [](const Place& at) { return fmt::format("{} {{ @ = count(); }}", at.probe); }},
        Recipe{"key", "counts by process and CPU",
               [](const Place& at) {
                   return std::vector{StepWords{
                       .source = at.source, .values = "self_pid, cpu", .sink = Sink::kCount}};
               },
               [](const Place& at) {
                   return fmt::format("{} {{ @[pid, cpu] = count(); }}", at.probe);
               }},
        Recipe{"event", "an event with its arguments, into the ring",
               [](const Place& at) {
                   return std::vector{StepWords{
                       .source = at.source, .values = at.arguments, .sink = Sink::kEvent}};
               },
               [](const Place& at) {
                   return fmt::format("{} {{ printf({}); }}", at.probe, at.printed);
               }},
        Recipe{"elapsed", "histogram of the time from entry to return: two hits",
               [](const Place& at) {
                   return std::vector{
                       StepWords{.source = at.source, .values = "tid", .sink = Sink::kOpen},
                       StepWords{.source = at.back,
                                 .closes = "tid",
                                 .values = "elapsed",
                                 .sums = 1,
                                 .sink = Sink::kHistogram}};
               },
               [](const Place& at) {
                   return fmt::format("{} {{ @s[tid] = nsecs; }} {} /@s[tid]/ {{ @ = hist(nsecs - "
                                      "@s[tid]); delete(@s[tid]); }}",
                                      at.probe, at.probe_back);
               }}};
    return all;
}

} // namespace

std::vector<TraceActivity> trace_activities() {
    return {{"rename", "prctl(PR_SET_NAME)", rename_thread}, {"labs", "libc's labs()", call_labs}};
}

std::vector<TraceCase> trace_cases() {
    std::vector<TraceCase> cases;
    for (const Place& place : kPlaces) {
        for (const Recipe& recipe : recipes()) {
            const bool two = std::string_view(recipe.name) == "elapsed";
            if (two && place.back == nullptr) {
                continue;
            }
            const std::string backend = trace::name(place.way);
            TraceCase weir{backend, recipe.name, "weir", recipe.what, place.activity};
            weir.steps = recipe.steps(place);
            weir.way = place.way;
            cases.push_back(std::move(weir));
            if (place.probe != nullptr) {
                TraceCase peer{backend, recipe.name, "bpftrace", recipe.what, place.activity};
                peer.program = recipe.program(place);
                cases.push_back(std::move(peer));
            }
        }
    }
    return cases;
}

} // namespace weir::bench
