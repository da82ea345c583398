#pragma once

#include <functional>
#include <string>
#include <vector>

#include "bench/apps/apps_lab.h"
#include "bench/apps/apps_result.h"

namespace weir::bench {

// A way from the client to the servers.
struct AppsPeer {
    std::string name; // as `weir bench apps --peers` takes it
    std::string what;
    NetMode mode = NetMode::kStack;
    // An error is why this peer is missing: a tool that is not installed, a kernel that cannot.
    std::function<Result<Device>(const AppsLab& lab)> set_up = nullptr;
    bool direct = false; // past the device, not to the VIP
};

// Past the device: what every other figure is compared with.
inline constexpr const char* kDirectPeer = "direct";
// All but Weir, direct first.
std::vector<AppsPeer> apps_peers();

// Runs every application by every peer, each in a lab of its own; round by round by turns. A peer
// that cannot, and one whose frames did not go where they should, gives cases with `refused`.
// `progress` is told what is measured next.
Result<std::vector<AppsCase>> run_apps(const std::vector<AppsPeer>& peers,
                                       const AppsOptions& options,
                                       const std::function<void(const std::string&)>& progress);

} // namespace weir::bench
