#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "compile/images.h"
#include "kernel/pins.h"
#include "maps/balancer.h"
#include "maps/firewall.h"
#include "maps/generation.h"
#include "maps/interface.h"
#include "model/config.h"

namespace weir::kernel {

// The programs, as they are pinned and named in the kernel.
enum class Program { kIngress, kTcIngress, kTcEgress };
std::string_view name(Program program); // "weir_ingress", "weir_tc_ingress", "weir_tc_egress"

struct ProgramInfo {
    std::string name;
    std::uint32_t id = 0;
    std::string tag; // hex, as bpftool prints it
    std::string pin;
    std::uint64_t run_count = 0; // 0 unless kernel.bpf_stats_enabled
    std::uint64_t run_time_ns = 0;
    std::uint32_t verified_insns = 0;
    std::uint32_t jited_bytes = 0;
};

// Loads programs and maps, sized by `limits`, and pins them. Built aside and renamed into place, so
// that a kill leaves nothing or everything. Answers false if Weir was loaded already.
Result<bool> load(const Pins& pins, const model::Limits& limits);
// Removes pins. Refuses while something is attached.
Result<> unload(const Pins& pins);

// One kept generation: the live one, or one that can be rolled back to.
struct Kept {
    std::uint64_t number = 0;
    std::uint32_t slot = 0;
    bool live = false;
    generation record{};
    std::string state; // the text given to publish()
};

// How many buckets of a service's ring are in which stage, and its flows in the flow table.
struct RingStatus {
    std::uint32_t buckets = 0;
    std::uint32_t hot = 0;      // hot or closing
    std::uint32_t warm = 0;     // the rest is at rest
    std::uint64_t overflow = 0; // flows that found no room in the flow table
    std::map<model::Handle, std::uint64_t> tracked; // entries that live, by backend

    std::uint32_t at_rest() const { return buckets - hot - warm; }
    std::uint64_t entries() const;
};

enum class FlowState { kEstablished, kOnSight, kHalfOpen };

// An entry of the flow table.
struct TrackedFlow {
    std::uint64_t fingerprint = 0;
    model::Handle backend = 0;
    FlowState state = FlowState::kEstablished;
    bool udp = false;
    bool closed = false;      // FIN or RST was seen
    std::uint32_t silent = 0; // ticks of 2^30 ns since its last packet
    // Of IPv4 flows, whose fingerprint tells them; of IPv6 flows they are noise.
    std::uint32_t client4 = 0;
    std::uint16_t sport = 0;
    std::uint16_t dport = 0;
};

// The pinned state, opened.
class Node {
public:
    static Result<Node> open(const Pins& pins);

    const Pins& pins() const { return pins_; }
    const model::Limits& limits() const { return limits_; }
    Result<std::vector<ProgramInfo>> programs() const;

    // Newest first. Empty until the first publish().
    Result<std::vector<Kept>> generations() const;
    // Of the live one; 0 before the first publish(). Cheap: no tables are read.
    Result<std::uint64_t> live_number() const;

    // Builds the tables of a new generation in unused places, reads them back, and turns the packet
    // path to them by one store. A table equal to the live generation's is shared, not built again.
    // `fresh` slots' counters are zeroed before. Answers the new generation's number. On any error,
    // and on a kill at any point, the live generation stays in force.
    Result<std::uint64_t> publish(compile::Images images, const model::FreshSlots& fresh,
                                  const std::string& state);
    // Puts the generation kept before the live one in force again; returns its number. `balancer`: what
    // its configuration compiles to, as its rings go on from the live ones.
    Result<std::uint64_t> rollback(compile::Balancer balancer, const std::string& state);
    // Brings buckets back to rest that changed long enough ago. Nothing else does; until then they
    // cost a look-up in the flow table.
    Result<> settle() const;

    // Sums over CPUs.
    Result<rule_count> rule_hits(model::Slot slot) const;
    Result<> reset_rule_hits(model::Slot slot);
    Result<service_count> service_hits(model::Slot slot) const;
    Result<backend_count> backend_hits(model::Slot slot) const;
    Result<hook_count> hook_hits(std::uint32_t iface_slot, hook h) const;

    // Of every service in force, by one look at the flow table.
    Result<std::map<model::Slot, RingStatus>> ring_statuses() const;
    // Every flow of the flow table that belongs to the service. At most `limit` (0: all).
    Result<std::vector<TrackedFlow>> flows(model::Slot service, std::size_t limit) const;

    // Entries of the interface table, by ifindex.
    Result<std::vector<std::pair<std::uint32_t, iface>>> ifaces() const;
    Result<> set_iface(std::uint32_t ifindex, const iface& value);
    Result<> delete_iface(std::uint32_t ifindex);

    // A pinned map's descriptor, by its name in maps/*.h; it stays the node's.
    int map(std::string_view name) const;

private:
    explicit Node(Pins pins) : pins_(std::move(pins)) {}
    Pins pins_;
    model::Limits limits_;
    std::map<std::string, Fd, std::less<>> maps_;
};

} // namespace weir::kernel
