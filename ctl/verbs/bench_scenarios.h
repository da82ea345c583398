#pragma once

#include <functional>
#include <string>
#include <vector>

#include "bench/packet/run_result.h"
#include "bench/packet/scenario.h"
#include "verbs/bench_node.h"
#include "verbs/verb.h"

namespace weir::verbs {

// --only PATTERN, as often as one likes.
void add_only(po::options_description& add);
std::vector<std::string> only_of(const po::variables_map& options);

// Set-ups with those of their cases of which `wanted` says true and whose names match one of the
// shell patterns `only` (empty: all). Set-ups without any are left out; none at all is refused.
Result<std::vector<bench::SetUp>> select(const std::vector<std::string>& only,
                                         bool (*wanted)(const bench::Case&));

// Measures the cases of one set-up after the other, in a network namespace of its own, and notes the
// programs' sizes. A configuration that this version does not take gives results with `refused`; a
// figure that would be of another path ends it.
Result<> run_scenarios(BenchNodes& nodes, const std::vector<bench::SetUp>& set_ups,
                       bench::RunResult& result);

// What the kernel says of a program.
Result<bench::ProgramSize> size_of(int program);

} // namespace weir::verbs
