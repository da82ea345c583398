#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "maps/balancer.h"

// How a ring goes on when its owners change, without losing a flow: docs/explanation/balancer.md.
namespace weir::compile {

// What the clock says of tracked buckets: maps/balancer.h, enum phase of dataplane/lb/track.h.
struct RingClock {
    bool warm = true; // whatever has no entry belongs to `current`
};

// The buckets that take the place of `live` when new flows belong to `owner`. `owner` has as many
// buckets as `live` or a multiple; `live` is empty for a new service. `exists` says of a backend's
// index whether it is still there: what belongs to one that is not has nothing to lose.
std::vector<bucket> change_ring(std::span<const bucket> live, const RingClock& clock,
                                const std::vector<std::uint32_t>& owner,
                                const std::function<bool(std::uint32_t)>& exists);

// The buckets once tracked ones have cooled. `foreign` says of a bucket whether an entry of the flow
// table still names another backend than its current one.
std::vector<bucket> settle_ring(std::span<const bucket> live, const RingClock& clock,
                                const std::vector<bool>& foreign);

bool at_rest(const bucket& bucket);

} // namespace weir::compile
