#include "compile/ring_change.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

// What a bucket becomes when its owner changes, by its stage; docs/explanation/balancer.md.
namespace weir::compile {
namespace {

using Buckets = std::vector<bucket>;
constexpr std::uint32_t kA = 1, kB = 2, kC = 3, kGone = 9;

bool exists(std::uint32_t index) {
    return index != kGone;
}

std::string say(const Buckets& buckets) {
    std::string text;
    for (const bucket& b : buckets) {
        const auto name = [](std::uint32_t index) {
            return index == BUCKET_NONE ? "-" : std::to_string(index);
        };
        text += text.empty() ? "" : " ";
        text += name(b.current);
        if (!at_rest(b)) {
            text += ((b.base & BUCKET_WARM) != 0 ? "~" : "/") + name(b.base & BUCKET_INDEX);
        }
    }
    return text;
}

// 1: at rest. 1/2: owned by 1, base 2. 1~1: warm.
bucket rest(std::uint32_t owner) {
    return {owner, owner};
}
bucket tracked(std::uint32_t current, std::uint32_t base) {
    return {current, base | BUCKET_TRACKED};
}
bucket warm(std::uint32_t owner) {
    return {owner, owner | BUCKET_WARM};
}

std::string change(const Buckets& live, bool is_warm, const std::vector<std::uint32_t>& owner) {
    return say(change_ring(live, {.warm = is_warm}, owner, exists));
}

TEST(RingChange, ANewRingIsAtRest) {
    EXPECT_EQ(change({}, true, {kA, kB, BUCKET_NONE}), "1 2 -");
}

TEST(RingChange, AtRestTheOwnerBecomesTheBase) {
    EXPECT_EQ(change({rest(kA), rest(kA)}, true, {kA, kB}), "1 2/1");
}

TEST(RingChange, ASecondChangeMovesTheCurrentOwnerAlone) {
    EXPECT_EQ(change({tracked(kB, kA)}, false, {kC}), "3/1");
    EXPECT_EQ(change({tracked(kB, kA)}, false, {kB}), "2/1");
    // Back again: flows that the other owner got are in the table, so it stays hot.
    EXPECT_EQ(change({tracked(kB, kA)}, false, {kA}), "1/1");
}

TEST(RingChange, AWarmBucketsOwnerBecomesTheBase) {
    EXPECT_EQ(change({warm(kA)}, false, {kB}), "2/1");
    EXPECT_EQ(change({tracked(kA, kC)}, true, {kB}), "2/1");
    EXPECT_EQ(change({warm(kA)}, false, {kA}), "1~1");
    EXPECT_EQ(change({tracked(kA, kC)}, true, {kA}), "1~1");
}

TEST(RingChange, WhatBelongsToNobodyHasNothingToLose) {
    EXPECT_EQ(change({rest(kGone), rest(BUCKET_NONE)}, true, {kA, kA}), "1 1");
    EXPECT_EQ(change({warm(kGone)}, false, {kA}), "1~1");
    EXPECT_EQ(change({tracked(kB, kGone)}, false, {kC}), "3/3");
}

TEST(RingChange, WithoutAnyOwnerTheBaseKeepsItsFlows) {
    EXPECT_EQ(change({rest(kA)}, true, {BUCKET_NONE}), "-/1");
    EXPECT_EQ(change({tracked(BUCKET_NONE, kA)}, false, {kB}), "2/1");
}

TEST(RingChange, ARingThatDoublesKeepsWhatItsBucketsWere) {
    EXPECT_EQ(change({rest(kA), tracked(kB, kA)}, false, {kA, kB, kB, kC}), "1 2/1 2/1 3/1");
}

TEST(RingSettle, WarmBucketsRestOnceNoEntryIsForeign) {
    const Buckets live{rest(kA), tracked(kB, kA), warm(kB), warm(kC)};
    EXPECT_EQ(say(settle_ring(live, {.warm = false}, {false, false, true, false})), "1 2/1 2~2 3");
    EXPECT_EQ(say(settle_ring(live, {.warm = true}, {false, false, true, false})), "1 2 2~2 3");
    EXPECT_EQ(say(settle_ring(live, {.warm = true}, {false, true, true, true})), "1 2~2 2~2 3~3");
}

} // namespace
} // namespace weir::compile
