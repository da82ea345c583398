#pragma once

#include <functional>
#include <string>

#include "bench/trace/trace_result.h"

namespace weir::bench {

// Every case, in rounds that go through all of them: first the activity unprobed, then probed. What
// the kernel does not have, or is not installed, is a case with `refused`. `progress` is told what
// is measured next.
std::vector<TraceCaseResult>
run_trace_cases(const TraceOptions& options,
                const std::function<void(const std::string&)>& progress);

} // namespace weir::bench
