#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bench/net/net_result.h"

namespace weir::bench {
namespace {

TEST(BenchNetCounts, AgreeWhereEveryFrameIsDroppedByTheDevice) {
    const NetCounts counts{.generator = 10, .device = 10, .handled = 10};
    EXPECT_EQ(disagreement(counts, false), "");
    EXPECT_EQ(disagreement(counts, true), "generator 10, device 10, handed on by it 10, sink 0");
}

TEST(BenchNetCounts, AgreeWhereEveryFrameIsAtTheSink) {
    const NetCounts counts{.generator = 10, .device = 10, .handled = std::nullopt, .sink = 10};
    EXPECT_EQ(disagreement(counts, true), "");
    EXPECT_EQ(disagreement(counts, false), "generator 10, device 10, sink 10");
}

TEST(BenchNetCounts, OneFrameTooFewOrTooManyVoids) {
    const NetCounts right{.generator = 10, .device = 10, .handled = 10, .sink = 10};
    ASSERT_EQ(disagreement(right, true), "");
    for (auto station : {&NetCounts::generator, &NetCounts::device, &NetCounts::sink}) {
        for (const std::uint64_t wrong : {9, 11}) {
            NetCounts counts = right;
            counts.*station = wrong;
            EXPECT_NE(disagreement(counts, true), "");
        }
    }
    NetCounts counts = right;
    counts.handled = 9;
    EXPECT_EQ(disagreement(counts, true), "generator 10, device 10, handed on by it 9, sink 10");
    counts = right;
    counts.unaccounted = -1;
    EXPECT_EQ(disagreement(counts, true), "generator 10, device 10, handed on by it 10, missing "
                                          "from its ledger -1, sink 10");
}

TEST(BenchNetCounts, LostFramesAreNoWrongBooks) {
    EXPECT_TRUE(only_lost({.generator = 10, .device = 9, .handled = 9}, false));
    EXPECT_TRUE(only_lost({.generator = 10, .device = 9, .handled = 9, .sink = 8}, true));
    EXPECT_FALSE(only_lost({.generator = 10, .device = 10, .handled = 9}, false));
    EXPECT_FALSE(only_lost({.generator = 10, .device = 11, .handled = 11}, false));
    EXPECT_FALSE(only_lost({.generator = 10, .device = 10, .handled = 10, .sink = 1}, false));
    EXPECT_FALSE(only_lost({.generator = 10, .device = 9, .handled = 9, .sink = 10}, true));
    EXPECT_FALSE(
        only_lost({.generator = 10, .device = 10, .handled = 10, .unaccounted = 1}, false));
}

TEST(BenchNetCounts, RoundsAddUp) {
    NetCounts sum{.generator = 1, .device = 2, .handled = std::nullopt, .sink = 4};
    sum += NetCounts{.generator = 10, .device = 20, .handled = 30, .unaccounted = 5, .sink = 40};
    EXPECT_EQ(sum.generator, 11U);
    EXPECT_EQ(sum.device, 22U);
    EXPECT_EQ(sum.handled, 30U);
    EXPECT_EQ(sum.unaccounted, 5);
    EXPECT_EQ(sum.sink, 44U);
}

TEST(BenchNetJob, FramesHaveTheSizeThatIsAskedFor) {
    for (const NetJob& job : net_jobs()) {
        for (const std::uint32_t size : {64U, 511U, 1500U}) {
            EXPECT_EQ(net_traffic(job, size, 1).frame.size(), size) << job.name;
        }
    }
}

TEST(BenchNetJob, AMillionFlowsOfASetAreFromItsElements) {
    const auto jobs = net_jobs();
    const auto traffic = net_traffic(jobs[2], 64, 20000);
    ASSERT_TRUE(jobs[2].set);
    const auto elements = set_elements();
    for (const rearm_header& header : traffic.headers) {
        const std::uint32_t source = header.octets[26] << 24 | header.octets[27] << 16 |
                                     header.octets[28] << 8 | header.octets[29];
        ASSERT_EQ(source % 2, 0U);
        ASSERT_LT((source - 0xac100000) / 2, elements.size());
    }
}

TEST(BenchNetJob, FramesGoToTheLastRulesPort) {
    const auto ports = rule_ports(100);
    EXPECT_EQ(ports.size(), 100U);
    EXPECT_EQ(ports.back(), kPort);
    EXPECT_EQ(std::count(ports.begin(), ports.end(), kPort), 1);
    EXPECT_EQ(rule_ports(1), std::vector<std::uint16_t>{kPort});
}

TEST(BenchNetResult, ACaseWithoutAFigureSaysWhy) {
    NetResult result;
    result.cases.push_back({.job = "forward",
                            .peer = "ipvs",
                            .what = "IPVS",
                            .mode = NetMode::kStack,
                            .size = 64,
                            .flows = 1,
                            .refused = "ipvsadm is not installed"});
    const Json json = to_json(result);
    EXPECT_EQ(json["schema"], 1);
    EXPECT_EQ(json["kind"], "net");
    const Json& only = json["cases"].at(0);
    EXPECT_EQ(only["name"], "forward/ipvs/stack/64");
    EXPECT_EQ(only["refused"], "ipvsadm is not installed");
    EXPECT_FALSE(only.contains("cpu_ns"));
}

TEST(BenchNetResult, EfficiencyIsOfCasesOnSeveralCpus) {
    NetResult result;
    NetCase two{.job = "forward",
                .peer = "kernel",
                .what = "",
                .mode = NetMode::kStack,
                .size = 64,
                .flows = 1,
                .cpus = 2};
    two.measured.emplace();
    two.measured->efficiency = {0.9, 0.8, 1};
    two.measured->repeated = 3;
    result.cases.push_back(two);
    const Json json = to_json(result)["cases"].at(0);
    EXPECT_EQ(json["name"], "forward/kernel/stack/64/2-cpus");
    EXPECT_EQ(json["cpus"], 2);
    EXPECT_EQ(json["repeated"], 3);
    EXPECT_EQ(json["efficiency"], (Json{{"median", 0.9}, {"lower", 0.8}, {"upper", 1.0}}));
}

} // namespace
} // namespace weir::bench
