#pragma once

#include <functional>
#include <string>
#include <vector>

#include "bench/net/net_result.h"

namespace weir::bench {

// Who does a job.
struct NetContest {
    NetJob job;
    std::vector<Peer> peers;
};

// Does every job by its peers, each in a lab of its own, for each size. A round goes once through
// all of it, so that a case's rounds lie apart in time and their spread holds what the machine
// drifts meanwhile. A peer that cannot, and one whose counts disagree again and again, gives cases
// with `refused`.
// All of it runs on the last CPU that this thread may run on, but for generators of several CPUs,
// which send from as many of the last.
// `progress` is told what is measured next.
Result<std::vector<NetCase>> run_contests(const std::vector<NetContest>& contests,
                                          const NetOptions& options,
                                          const std::function<void(const std::string&)>& progress);

} // namespace weir::bench
