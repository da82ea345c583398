#pragma once

#include <string>

#include "bench/result.h"
#include "verbs/verb.h"

namespace weir::verbs {

// Prints a result; compares it with the one in the file `baseline`, if that is not ""; writes it
// into the folder `out`, if that is not "".
Result<> report_run(Context& cx, const bench::RunResult& result, const std::string& baseline,
                    const std::string& out);

} // namespace weir::verbs
