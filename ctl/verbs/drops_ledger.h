#pragma once

#include "verbs/verb.h"

namespace weir::verbs {

// `weir drops --ledger DEV`: the interface's balanced ledger, for each interval.
Result<> run_drop_ledger(const po::variables_map& options, const std::string& name, Context& cx);

} // namespace weir::verbs
