#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "trace/step.h"

namespace weir::bench {

// Something cheap that hits a probe once each time it is done.
struct TraceActivity {
    std::string name; // "rename"
    std::string what;
    std::function<void(std::uint64_t times)> act;
};

// A question, and who is asked.
struct TraceCase {
    std::string backend; // "tp", "kprobe.multi"
    std::string recipe;  // "count"
    std::string peer;    // "weir", "bpftrace"
    std::string what;
    std::size_t activity = 0; // of trace_activities()
    // Of Weir.
    std::vector<trace::StepWords> steps = {};
    trace::Backend way = trace::Backend::kAny;
    // Of bpftrace.
    std::string program = {};

    std::string name() const { return backend + "/" + recipe + "/" + peer; }
};

// The thread renamed, for tracepoints and kernel functions; a function of libc, for uprobes.
std::vector<TraceActivity> trace_activities();
// Of each way of attaching, Weir's and bpftrace's side by side.
std::vector<TraceCase> trace_cases();

} // namespace weir::bench
