#pragma once

#include <vector>

#include "bench/apps/apps_run.h"
#include "bench/net/peers.h"
#include "verbs/verb.h"

namespace weir::verbs {

// Weir as devices of `weir bench net`: its filter, or its balancer in each way of forwarding.
std::vector<bench::Peer> weir_peers(Context& cx, bool forward, bench::NetMode mode);

// The balancer between the client and the servers of `weir bench apps`; with IPIP also the
// decapsulation at the server.
std::vector<bench::AppsPeer> weir_apps_peers(Context& cx, bench::NetMode mode);

} // namespace weir::verbs
