#include <gtest/gtest.h>

#include "bench/comparison.h"

namespace weir::bench {
namespace {

Json figure(double median, double spread = 0) {
    return {{"median", median}, {"lower", median - spread / 2}, {"upper", median + spread / 2}};
}

Json document(const char* kind, Json cases) {
    return {{"schema", kResultSchema}, {"kind", kind}, {"cases", std::move(cases)}};
}

// A program whose packets take `net` ns, measured when an empty one's took `floor`.
Json run_of(const Json& net, const Json& floor) {
    return document("run", Json::array({{{"name", "a"}, {"net_ns", net}, {"floor_ns", floor}}}));
}

Comparison compared(const Json& before, const Json& after) {
    return compare(*read_evidence(before), *read_evidence(after));
}

TEST(BenchComparison, AMedianThatLeftBothSpreadsMoved) {
    const Json before = run_of(figure(100, 4), figure(50));
    EXPECT_EQ(compared(before, run_of(figure(107, 4), figure(50))).moved(), 0U);
    EXPECT_EQ(compared(before, run_of(figure(109, 4), figure(50))).moved(), 1U);
}

TEST(BenchComparison, WhatTheFloorDidBetweenTheTwoIsTheMachines) {
    const Comparison slower =
        compared(run_of(figure(100), figure(50)), run_of(figure(120), figure(60)));
    EXPECT_DOUBLE_EQ(slower.between, 0.2);
    EXPECT_EQ(slower.moved(), 0U);
    EXPECT_EQ(compared(run_of(figure(100), figure(50)), run_of(figure(130), figure(60))).moved(),
              1U);
}

TEST(BenchComparison, WhatTheFloorDidDuringOneOfThemIsTheMachines) {
    const Comparison one =
        compared(run_of(figure(100), figure(50, 25)), run_of(figure(130), figure(50)));
    EXPECT_DOUBLE_EQ(one.before, 25 / 37.5);
    EXPECT_EQ(one.after, 0);
    EXPECT_EQ(one.moved(), 0U);
}

TEST(BenchComparison, ThroughputIsComparedByWhatTheEmptyProgramDid) {
    const auto net = [](double floor_ns, double ratio) {
        return document("net", Json::array({{{"name", "drop/empty-xdp/native/64"},
                                             {"peer", "empty-xdp"},
                                             {"cpu_ns", figure(floor_ns)}},
                                            {{"name", "drop/weir/native/64"},
                                             {"peer", "weir"},
                                             {"cpu_ns", figure(floor_ns * ratio)},
                                             {"ratio", figure(ratio)}}}));
    };
    const Comparison slower = compared(net(100, 1.5), net(120, 1.7));
    EXPECT_DOUBLE_EQ(slower.between, 0.2);
    ASSERT_EQ(slower.moved(), 1U);
    EXPECT_EQ(slower.changes[1].before.of, "drop/weir/native/64");
    EXPECT_EQ(slower.changes[1].before.what, "ns/packet");
    EXPECT_TRUE(slower.changes[1].moved);
    EXPECT_EQ(slower.changes[2].before.what, "to floor");
    EXPECT_FALSE(slower.changes[2].moved);
}

TEST(BenchComparison, OnlyWhatBothHaveIsCompared) {
    Json more = run_of(figure(100), figure(50));
    more["cases"].push_back({{"name", "b"}, {"net_ns", figure(1)}, {"floor_ns", figure(50)}});
    more["cases"].push_back({{"name", "c"}, {"refused", "too many"}});
    EXPECT_EQ(compared(run_of(figure(100), figure(50)), more).changes.size(), 1U);
    EXPECT_EQ(compared(more, run_of(figure(100), figure(50))).changes.size(), 1U);
}

TEST(BenchComparison, DriftOfADocumentIsThatOfItsFloors) {
    EXPECT_EQ(drift_of(run_of(figure(100), {{"median", 45}, {"lower", 40}, {"upper", 50}})), 0.25);
    EXPECT_EQ(drift_of(document("control", Json::array())), 0);
    EXPECT_EQ(drift_of(Json("nothing of the kind")), 0);
}

TEST(BenchComparison, OtherDocumentsAreRefused) {
    EXPECT_EQ(read_evidence(Json::object()).error().message(),
              "no result of `weir bench`: no JSON, or without \"schema\"");
    EXPECT_EQ(read_evidence({{"schema", 7}, {"kind", "run"}}).error().message(),
              "a result of kind 'run', schema 7: expected run, net, apps, control or trace, schema 1");
    EXPECT_EQ(read_evidence({{"schema", 1}, {"kind", "run"}}).error().message().substr(0, 34),
              "not as `weir bench run` writes it:");
    EXPECT_EQ(read_evidence({{"schema", 1}, {"kind", 3}}).error().message(),
              "a result of kind '3', schema 1: expected run, net, apps, control or trace, schema 1");
}

} // namespace
} // namespace weir::bench
