#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace weir::bench {

// Runs a program of the system, found by PATH, with `input` on its standard input. Answers what it
// printed; refused, with its last words, if it is not there or ends with another status than 0.
Result<std::string> run_process(const std::vector<std::string>& words,
                                const std::string& input = "");

} // namespace weir::bench
