#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "bench/net/lab.h"
#include "bench/net/net_job.h"

namespace weir::bench {

enum class NetMode { kNative, kGeneric, kStack };
const char* name(NetMode mode); // "native", "generic"; "stack": where the kernel's filters are

// What a device says of the frames that it met.
struct DeviceBooks {
    std::uint64_t handled = 0;    // dropped or handed on, as the job says
    std::int64_t unaccounted = 0; // received without a verdict: Weir's ledger; 0 for others
};

// A device that does a job in a lab. It ends with the lab's namespaces, and with what `books`
// holds.
struct Device {
    // None where it keeps no books of its own: then only the counts around it speak.
    std::function<Result<DeviceBooks>()> books = nullptr;
};

// What a user would pick for a job.
struct Peer {
    std::string name; // "nft-rules", as `weir bench net --peers` takes it
    std::string what;
    NetMode mode = NetMode::kStack;
    // In the device's namespace, where the process is. An error is why this peer is missing: a tool
    // that is not installed, a kernel that cannot.
    std::function<Result<Device>(const Lab& lab, const NetJob& job)> set_up = nullptr;
};

// The floor, which every other figure is compared with.
inline constexpr const char* kFloor = "empty-xdp";
Peer floor_peer(NetMode mode);

// All but the floor and Weir.
std::vector<Peer> filter_peers();
std::vector<Peer> forward_peers();

} // namespace weir::bench
