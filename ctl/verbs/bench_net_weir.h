#pragma once

#include <vector>

#include "bench/net/peers.h"
#include "verbs/verb.h"

namespace weir::verbs {

// Weir itself as it would be used for a job, loaded and attached in the job's lab. Its frames are
// counted by its ledger.
std::vector<bench::Peer> weir_peers(Context& cx, bool forward, bench::NetMode mode,
                                    std::uint32_t flows);

} // namespace weir::verbs
