#pragma once

#include <vector>

#include "compile/condition.h"

// What is known of a packet before its rules are walked: the first nodes of a chain tell kinds of
// packet apart, and each kind has a list of its own, without the tests that its kind answers.
namespace weir::compile {

class PacketKind {
public:
    // This kind, and `fact` is one of `possible`.
    PacketKind with(fact fact, Intervals possible) const;

    enum class Truth { kNever, kAlways, kDepends };
    Truth truth(const Condition& condition) const;

private:
    struct Known {
        int fact;
        Intervals possible;
    };
    const Intervals* possible(int fact) const;

    std::vector<Known> known_;
};

} // namespace weir::compile
