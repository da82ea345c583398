#include "compile/packet_kind.h"

#include <algorithm>

namespace weir::compile {
namespace {

using Truth = PacketKind::Truth;

Truth in_ranges(const Intervals& ranges, const Intervals& possible) {
    if (covers(ranges, possible)) {
        return Truth::kAlways;
    }
    return intersects(ranges, possible) ? Truth::kDepends : Truth::kNever;
}

Truth in_masks(const std::vector<Masked>& masks, const Intervals& possible) {
    const model::Interval& values = possible.front();
    const bool one_value = possible.size() == 1 && values.first == values.last;
    for (const Masked& m : masks) {
        if (one_value && (values.first.lo & m.mask) == m.value) {
            return Truth::kAlways;
        }
    }
    return one_value ? Truth::kNever : Truth::kDepends;
}

} // namespace

PacketKind PacketKind::with(fact fact, Intervals possible) const {
    PacketKind kind = *this;
    kind.known_.push_back({fact, model::merged(std::move(possible))});
    return kind;
}

const Intervals* PacketKind::possible(int fact) const {
    const auto known =
        std::find_if(known_.begin(), known_.end(), [&](const Known& k) { return k.fact == fact; });
    return known == known_.end() ? nullptr : &known->possible;
}

Truth PacketKind::truth(const Condition& condition) const {
    const Intervals anything{{{0, 0}, condition.last}};
    const Intervals* known = condition.fact_hi < 0 ? possible(condition.fact) : nullptr;
    const Intervals& numbers = known != nullptr ? *known : anything;

    const Truth plain = condition.masks.empty() ? in_ranges(condition.any, numbers)
                                                : in_masks(condition.masks, numbers);
    if (!condition.negated || plain == Truth::kDepends) {
        return plain;
    }
    return plain == Truth::kAlways ? Truth::kNever : Truth::kAlways;
}

} // namespace weir::compile
