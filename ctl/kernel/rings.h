#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <vector>

#include "base/result.h"
#include "compile/images.h"
#include "kernel/bpf.h"
#include "kernel/node.h"

// Rings in their pages, and what they become when their owners change.
namespace weir::kernel {

// Where a service's ring lies.
struct RingPlace {
    std::uint32_t page = 0;
    std::uint32_t buckets = 0;
    bool operator==(const RingPlace&) const = default;
};
using RingOfService = std::map<model::Slot, RingPlace>;

// Of the services of a generation.
Result<RingOfService> rings_of(const Node& node, const generation& record);

class Rings {
public:
    // `live`: of the generation in force, whose flows close when silent for `idle` ticks. `kept`: pages
    // of others that must stay as they are.
    static Result<Rings> open(const Node& node, std::uint32_t idle, RingOfService live,
                              const RingOfService& kept);

    // Places for these rings, written: each goes on from the live ring of its service. One that is
    // as it was stays where it is. `exists`: indices of backends that are still there.
    Result<RingOfService> change(const std::vector<compile::Ring>& wanted,
                                 const std::set<std::uint32_t>& exists);
    // To be called just before packets turn to the changed rings.
    void start_clocks();
    // Brings buckets of the live rings back to rest whose time is over, where no flow needs them any
    // more. `foreign`: buckets of a service for which an entry names another backend than `current`.
    void settle(const std::map<model::Slot, std::vector<bool>>& foreign);

    std::span<bucket> at(const RingPlace& place) const;
    // By the clock, tracked buckets of the service have cooled.
    bool is_warm(model::Slot service) const;
    const service_state& state(model::Slot service) const { return states()[service]; }

private:
    Rings(Mapping pages, Mapping states, std::uint32_t idle, RingOfService live)
        : pages_(std::move(pages)), states_(std::move(states)), idle_(idle),
          live_(std::move(live)) {}

    std::span<service_state> states() const;
    void hold(model::Slot service);
    Result<std::uint32_t> vacant(std::uint32_t pages);
    void take(const RingPlace& place);

    Mapping pages_;
    Mapping states_;
    std::uint32_t idle_; // ticks
    RingOfService live_;
    std::vector<bool> taken_;      // by page
    std::uint32_t first_free_ = 0; // no page before it is free
    std::vector<model::Slot> changed_;
};

// Ticks of the flow table's clock, now.
std::uint32_t flow_ticks();

} // namespace weir::kernel
