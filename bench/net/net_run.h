#pragma once

#include <functional>
#include <string>
#include <vector>

#include "bench/net/net_result.h"

namespace weir::bench {

// Does one job by every peer, each in a lab of its own, for each size; round by round by turns. A
// peer that cannot, and one whose counts disagree, gives cases with `refused`. `progress` is told
// what is measured next.
Result<std::vector<NetCase>> run_job(const NetJob& job, const std::vector<Peer>& peers,
                                     const NetOptions& options,
                                     const std::function<void(const std::string&)>& progress);

} // namespace weir::bench
