#include <gtest/gtest.h>

#include "trace/histogram.h"

namespace weir::trace {
namespace {

TEST(TraceHistogram, SlotsOfPowersOfTwo) {
    const Scale log2;
    EXPECT_EQ(range_of(log2, 0).high, 0);
    EXPECT_EQ(range_of(log2, 1).low, 1);
    EXPECT_EQ(range_of(log2, 11).low, 1024);
    EXPECT_EQ(range_of(log2, 11).high, 2047);
}

TEST(TraceHistogram, IsDrawnFromZeroToTheLast) {
    EXPECT_EQ(draw(Scale{}, {{0, 1}, {1, 1}, {3, 4}}, "usecs"),
              "     usecs               : count     distribution\n"
              "         0 -> 1          : 2        |********************                    |\n"
              "         2 -> 3          : 0        |                                        |\n"
              "         4 -> 7          : 4        |****************************************|\n");
}

TEST(TraceHistogram, NegativeNumbersHaveALineOfTheirOwn) {
    EXPECT_EQ(draw(Scale{}, {{TRACE_SLOTS - 1, 2}}, "n"),
              "         n               : count     distribution\n"
              "                negative : 2        |****************************************|\n");
}

TEST(TraceHistogram, LinearSlotsBeginAtTheFirst) {
    const Scale linear{.kind = TRACE_LINEAR, .from = 100, .width = 10};
    EXPECT_EQ(draw(linear, {{2, 1}, {3, 2}}, "len"),
              "       len               : count     distribution\n"
              "       120 -> 129        : 1        |********************                    |\n"
              "       130 -> 139        : 2        |****************************************|\n");
}

TEST(TraceHistogram, OfNothingIsATitle) {
    EXPECT_EQ(draw(Scale{}, {}, "usecs"), "     usecs               : count     distribution\n");
}

} // namespace
} // namespace weir::trace
