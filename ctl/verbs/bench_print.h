#pragma once

#include <string>

#include "bench/packet/run_result.h"
#include "verbs/verb.h"

namespace weir::verbs {

// Prints a result of `weir bench run`; compares it with the one in the file `baseline`, if that is
// not "".
Result<> print_run(Context& cx, const bench::RunResult& result, const std::string& baseline);

} // namespace weir::verbs
