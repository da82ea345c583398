#include "compile/ring_change.h"

namespace weir::compile {
namespace {

bucket resting(std::uint32_t owner) {
    return {.current = owner, .base = owner};
}

bucket tracked(std::uint32_t current, std::uint32_t base) {
    return {.current = current, .base = base | BUCKET_TRACKED};
}

bucket warm(std::uint32_t owner) {
    return {.current = owner, .base = owner | BUCKET_WARM};
}

bool is_warm(const bucket& b, const RingClock& clock) {
    return (b.base & BUCKET_WARM) != 0 || ((b.base & BUCKET_TRACKED) != 0 && clock.warm);
}

// What belongs to nobody, or to a backend that is gone, has no flow to lose.
bucket changed(const bucket& b, const RingClock& clock, std::uint32_t owner,
               const std::function<bool(std::uint32_t)>& exists) {
    const auto loses = [&](std::uint32_t index) { return index != BUCKET_NONE && exists(index); };
    if (at_rest(b)) {
        return b.current != owner && loses(b.current) ? tracked(owner, b.current) : resting(owner);
    }
    if (is_warm(b, clock)) {
        return b.current != owner && loses(b.current) ? tracked(owner, b.current) : warm(owner);
    }
    // Flows are tracked already; those without an entry belong to the base, as before.
    const std::uint32_t base = b.base & BUCKET_INDEX;
    return tracked(owner, loses(base) ? base : owner);
}

} // namespace

bool at_rest(const bucket& bucket) {
    return bucket.current == bucket.base;
}

std::vector<bucket> change_ring(std::span<const bucket> live, const RingClock& clock,
                                const std::vector<std::uint32_t>& owner,
                                const std::function<bool(std::uint32_t)>& exists) {
    std::vector<bucket> after;
    after.reserve(owner.size());
    for (std::size_t i = 0; i < owner.size(); i++) {
        if (live.empty()) {
            after.push_back(resting(owner[i]));
            continue;
        }
        // A ring that doubled: what hashed to bucket i hashed to i modulo its size before.
        after.push_back(changed(live[i % live.size()], clock, owner[i], exists));
    }
    return after;
}

std::vector<bucket> settle_ring(std::span<const bucket> live, const RingClock& clock,
                                const std::vector<bool>& foreign) {
    std::vector<bucket> after(live.begin(), live.end());
    for (std::size_t i = 0; i < after.size(); i++) {
        if (!at_rest(after[i]) && is_warm(after[i], clock)) {
            after[i] = foreign[i] ? warm(after[i].current) : resting(after[i].current);
        }
    }
    return after;
}

} // namespace weir::compile
