#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "model/field.h"

namespace weir::model {

// Stable name of a rule, a service or a backend, never used twice. 0: not given yet.
using Handle = std::uint32_t;
// Index of its counters, kept as long as it lives. See assign_identities().
using Slot = std::uint32_t;
inline constexpr Slot kNoSlot = 0xffffffff;

// An inclusive range of values; a single value where both ends are the same.
struct Interval {
    U128 first;
    U128 last;
    auto operator<=>(const Interval&) const = default;
};

// Neighbouring numbers; the least and the greatest have themselves, instead of wrapping.
U128 below(U128 number);
U128 above(U128 number);

// The same values as sorted, disjoint intervals with a gap between any two.
std::vector<Interval> merged(std::vector<Interval> intervals);

// One comparison of a rule: field, operator, values.
struct Match {
    Field field{};
    bool negated = false; // `!=`
    // `tcp flags & (syn | ack) == syn`: applied to the field before it is compared. Not 0, and not
    // all bits of the field. `tcp flags syn` (any of) is mask syn, negated, value 0.
    std::optional<std::uint64_t> mask;
    // Any of these: sorted and disjoint, as nft prints them. Single values (both ends the same)
    // with a mask. Empty with `set`.
    std::vector<Interval> values;
    bool braces = false; // an anonymous set, { … }: more than one value
    std::string set;     // `@name`, without the @

    bool operator==(const Match&) const = default;
};

enum class Verdict { kAccept, kDrop };

// Ordered matches, all of which must hold, and what then happens.
struct Rule {
    std::vector<Match> matches;
    bool counter = false;           // the word `counter`
    std::optional<Verdict> verdict; // none: count, and go on with the next rule
    std::string comment;

    Handle handle = 0;
    Slot slot = kNoSlot;

    // Says the same; handle and slot do not matter.
    bool same(const Rule& other) const {
        return matches == other.matches && counter == other.counter && verdict == other.verdict &&
               comment == other.comment;
    }
};

enum class ChainName { kIngress, kEgress };
std::string_view name(ChainName chain);

struct Chain {
    Verdict policy = Verdict::kAccept;
    std::vector<Rule> rules;
};

} // namespace weir::model
