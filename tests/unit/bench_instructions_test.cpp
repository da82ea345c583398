#include <gtest/gtest.h>

#include "bench/packet/instructions.h"

namespace weir::bench {
namespace {

CaseResult measured(const std::string& name, double lower, double median, double upper) {
    CaseResult result;
    result.name = name;
    result.measured = Measured{};
    result.measured->net = {median, lower, upper};
    return result;
}

RunResult guest_result(CaseResult only) {
    RunResult result;
    result.origin.kernel = "6.1.0-56-amd64";
    result.origin.processor = "QEMU TCG CPU version 2.5+";
    result.cases.push_back(std::move(only));
    return result;
}

InstructionTable table_of(const std::string& kernel, std::uint64_t count) {
    InstructionTable table;
    table.set({kernel, {{"fw", count}}, {}});
    return table;
}

std::vector<std::string> grown(const InstructionTable& table, const std::string& kernel,
                               std::uint64_t count) {
    const auto lines = table.grown({kernel, {{"fw", count}}, {}});
    EXPECT_TRUE(lines) << lines.error().message();
    return lines ? *lines : std::vector<std::string>{};
}

TEST(BenchInstructions, RoundsThatAgreeAreACount) {
    const auto figures = counted(guest_result(measured("fw", 666, 666, 667)));
    ASSERT_TRUE(figures) << figures.error().message();
    EXPECT_EQ(figures->kernel, "6.1.0-56-amd64");
    EXPECT_EQ(figures->counts.at("fw"), 666U);
}

TEST(BenchInstructions, AClockThatDoesNotCountIsRefused) {
    const auto noisy = counted(guest_result(measured("fw", 640, 666, 690)));
    ASSERT_FALSE(noisy);
    EXPECT_EQ(noisy.error().message(),
              "fw: 640 to 690 in one run: this machine's clock does not count instructions; run it "
              "in QEMU: netns-scripts/vm.sh --icount -- weir bench insns");
    RunResult host = guest_result(measured("fw", 32, 32, 32));
    host.origin.processor = "AMD EPYC";
    ASSERT_FALSE(counted(host));
}

TEST(BenchInstructions, ATickOfTheTimerIsNoNoise) {
    EXPECT_TRUE(counted(guest_result(measured("fw", 31837, 31837, 31842))));
    EXPECT_FALSE(counted(guest_result(measured("fw", 31837, 31837, 31870))));
}

TEST(BenchInstructions, AScenarioWithoutAFigureIsNotLeftOut) {
    CaseResult refused;
    refused.name = "fw";
    refused.refused = "too many rules";
    const auto figures = counted(guest_result(std::move(refused)));
    ASSERT_FALSE(figures);
    EXPECT_EQ(figures.error().message(), "fw: too many rules");
}

TEST(BenchInstructions, TheTableIsReadAsItWasWritten) {
    InstructionTable table = table_of("6.1.0-56-amd64", 1000);
    table.set({"6.12.117+deb12-amd64", {{"fw", 2000}}, {}});
    const auto read = InstructionTable::parse(table.to_string());
    ASSERT_TRUE(read) << read.error().message();
    EXPECT_EQ(read->to_string(), table.to_string());
    EXPECT_TRUE(grown(*read, "6.12.117+deb12-amd64", 2000).empty());
}

TEST(BenchInstructions, GrownUnderTheSameReleaseByMoreThanASeedDoes) {
    const InstructionTable table = table_of("6.1.0-56-amd64", 4000);
    EXPECT_TRUE(grown(table, "6.1.0-56-amd64", 3000).empty());
    EXPECT_TRUE(grown(table, "6.1.0-56-amd64", 4012).empty());
    EXPECT_EQ(grown(table, "6.1.0-56-amd64", 4013),
              std::vector<std::string>{"fw: 4013 instructions, 4000 in the table (+13)"});
}

TEST(BenchInstructions, RoutesAndNeighboursMoveMoreBetweenBoots) {
    const InstructionTable table = table_of("6.1.0-56-amd64", 4000);
    EXPECT_TRUE(table.grown({"6.1.0-56-amd64", {{"fw", 4080}}, {"fw"}})->empty());
    EXPECT_EQ(table.grown({"6.1.0-56-amd64", {{"fw", 4081}}, {"fw"}})->size(), 1U);
}

TEST(BenchInstructions, AnotherReleaseOfTheSeriesMayMoveThem) {
    const InstructionTable table = table_of("6.1.0-56-amd64", 4000);
    EXPECT_TRUE(grown(table, "6.1.0-60-amd64", 4080).empty());
    EXPECT_EQ(grown(table, "6.1.0-60-amd64", 4081).size(), 1U);
}

TEST(BenchInstructions, WhatTheTableLacksIsSaid) {
    const InstructionTable table = table_of("6.1.0-56-amd64", 4000);
    const auto lines = table.grown({"6.1.0-56-amd64", {{"new", 5}}, {}});
    ASSERT_TRUE(lines);
    EXPECT_EQ(*lines, std::vector<std::string>{"new: 5 instructions, not in the table"});
    const auto other = table.grown({"6.12.1", {{"fw", 5}}, {}});
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().message(), "the table has no figures of kernel 6.12");
}

TEST(BenchInstructions, AnotherFileIsNoTable) {
    for (const char* text :
         {"", "[]", "{}", R"({"kind": "instructions"})", R"({"kind": "run", "schema": 1})",
          R"({"kind": "instructions", "schema": 1, "kernels": {"6.1": 5}})"}) {
        EXPECT_FALSE(InstructionTable::parse(text)) << text;
    }
}

} // namespace
} // namespace weir::bench
