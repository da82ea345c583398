#include <gtest/gtest.h>

#include "bench/statistics.h"

namespace weir::bench {
namespace {

TEST(BenchFigure, MedianAndQuartiles) {
    const Figure figure = figure_of({5, 1, 4, 2, 3});
    EXPECT_EQ(figure.median, 3);
    EXPECT_EQ(figure.lower, 2);
    EXPECT_EQ(figure.upper, 4);
    EXPECT_EQ(figure.spread(), 2);
}

TEST(BenchFigure, BetweenTwoValuesIsInterpolated) {
    const Figure figure = figure_of({10, 20, 30, 40});
    EXPECT_EQ(figure.median, 25);
    EXPECT_EQ(figure.lower, 17.5);
    EXPECT_EQ(figure.upper, 32.5);
}

TEST(BenchFigure, OneValueHasNoSpread) {
    const Figure figure = figure_of({7});
    EXPECT_EQ(figure.median, 7);
    EXPECT_EQ(figure.spread(), 0);
}

TEST(BenchFigure, MovedIsMoreThanBothSpreads) {
    const Figure before{100, 95, 105};
    EXPECT_FALSE(moved(before, {119, 115, 125}));
    EXPECT_TRUE(moved(before, {121, 116, 126}));
    EXPECT_TRUE(moved(before, {79, 74, 84}));
    // The clock's resolution is no movement.
    EXPECT_FALSE(moved({8, 8, 8}, {9, 9, 9}));
    EXPECT_TRUE(moved({8, 8, 8}, {10, 10, 10}));
}

TEST(BenchFigure, NothingMovedThatTheMachineMoves) {
    const Figure before{100, 100, 100};
    EXPECT_TRUE(moved(before, {130, 130, 130}, 0.2)); // 26 of 130
    EXPECT_FALSE(moved(before, {130, 130, 130}, 0.25));
    EXPECT_TRUE(moved(before, {79, 79, 79}, 0.2)); // 20 of 100
}

TEST(BenchFigure, DriftIsTheSpreadThatNineInTenStayBelow) {
    EXPECT_EQ(drift_of(std::vector<Figure>{}), 0);
    EXPECT_EQ(drift_of(std::vector<Figure>{{90, 80, 100}}), 0.25);
    std::vector<Figure> floors(20, {100, 100, 101});
    EXPECT_NEAR(drift_of(floors), 0.01, 1e-9);
    floors.push_back({150, 100, 200}); // one in twenty-one
    EXPECT_NEAR(drift_of(floors), 0.01, 1e-9);
}

} // namespace
} // namespace weir::bench
