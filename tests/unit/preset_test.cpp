#include "presets/preset.h"

#include <gtest/gtest.h>

namespace weir::presets {
namespace {

TEST(Preset, EachIsMadeOfWordsThatAreUnderstood) {
    for (const Entry& entry : all()) {
        SCOPED_TRACE(entry.name);
        const auto preset = entry.make();
        ASSERT_TRUE(preset) << preset.error().message();
        EXPECT_EQ(preset->name, entry.name);
        // What is traced, what is read, or (@lb) what Weir itself counts.
        EXPECT_TRUE(!preset->steps.empty() || preset->sample || entry.name == "lb");
        EXPECT_FALSE(entry.summary.empty());
        if (entry.verb == "top" || entry.verb == "trace") {
            ASSERT_TRUE(preset->view.row);
            EXPECT_LT(preset->view.sort, preset->view.columns.size());
        }
    }
}

Counted counted(std::vector<Cell> keys, std::vector<Counted::Totals> places) {
    return {.keys = std::move(keys), .places = std::move(places)};
}

std::vector<std::string> texts(const std::vector<Cell>& cells) {
    std::vector<std::string> all;
    for (const Cell& each : cells) {
        all.push_back(each.text);
    }
    return all;
}

TEST(Preset, DiskRequestsOfAProcess) {
    const auto preset = *wished("top", {"@blk"});
    // 3 requests of 12 KiB in all, which took 4.5 ms
    const auto row =
        preset->view.row(counted({cell(std::uint64_t{7}),
                                  cell("dd"),
                                  cell(std::uint64_t{8}),
                                  cell(std::uint64_t{16}),
                                  cell("sdb"),
                                  {"true", true}},
                                 {{}, {}, {}, {.events = 3, .sums = {12288, 4'500'000}}}));
    EXPECT_EQ(texts(row),
              (std::vector<std::string>{"7", "dd", "W", "8", "16", "sdb", "3", "12", "1.50"}));
}

TEST(Preset, ThePageCacheAsCachetopReckonsIt) {
    const auto preset = *wished("top", {"@pagecache"});
    // 6 accesses, 2 buffers dirtied, 1 page added, 1 dirtied
    const auto row =
        preset->view.row(counted({cell(std::uint64_t{7}), cell(std::uint64_t{0}), cell("cat")},
                                 {{.events = 6}, {.events = 2}, {.events = 1}, {.events = 1}}));
    EXPECT_EQ(texts(row),
              (std::vector<std::string>{"7", "root", "cat", "8", "2", "2", "60.0", "10.0"}));
}

Cell number(std::uint64_t value) {
    return cell(value);
}

// An event of one of the preset's steps.
std::vector<std::string> event(const Preset& preset, std::size_t step, std::vector<Cell> keys) {
    std::vector<Counted::Totals> places(preset.steps.size());
    places[step].events = 1;
    return texts(preset.view.row(counted(std::move(keys), std::move(places))));
}

TEST(Preset, ARetransmissionSaysWhatTheSenderKnew) {
    const auto preset = *wished("trace", {"@retrans"});
    EXPECT_EQ(event(*preset, 0,
                    {cell("10.0.0.1"), number(40000), cell("10.0.0.2"), number(80), number(1),
                     number(3), number(0), number(10), number(1448)}),
              (std::vector<std::string>{"10.0.0.1", "40000", "10.0.0.2", "80", "ESTABLISHED",
                                        "recovery", "0", "10", "1448"}));
}

TEST(Preset, ConnectionsWithoutAProcessHaveNone) {
    const auto preset = *wished("trace", {"@conns"});
    const std::vector<Cell> keys{number(7),     cell("nginx"),    number(0) /* saddr */,
                                 number(80),    cell("10.0.0.2"), number(40000),
                                 number(1000),  number(50),       number(2'500'000)};
    constexpr std::size_t kActiveEnd = 3, kClosedEnd = 4, kPassiveEnd = 5;
    EXPECT_EQ(event(*preset, kActiveEnd, keys),
              (std::vector<std::string>{"7", "nginx", "active", "0", "80", "10.0.0.2", "40000",
                                        "1000", "50", "2.500"}));
    EXPECT_EQ(event(*preset, kClosedEnd, keys)[2], "passive");
    const auto reset = event(*preset, kPassiveEnd, keys);
    EXPECT_EQ(reset[0] + reset[1] + reset[2], "--passive");
}

TEST(Preset, WhatXdpLosesByCause) {
    const auto preset = *wished("top", {"@xdperr"});
    std::vector<Counted::Totals> places(preset->steps.size());
    places[1].events = 3;
    EXPECT_EQ(texts(preset->view.row(counted({number(1), cell("eth0"), number(12), cell("fw"),
                                              {"-19", -19}, number(4), number(2)},
                                             places))),
              (std::vector<std::string>{"redirect", "eth0", "fw", "12", "REDIRECT", "ENODEV",
                                        "map 4 at 2", "3"}));
    places.assign(preset->steps.size(), {});
    places[2] = {.events = 2, .sums = {9, 0}}; // in two bulks
    EXPECT_EQ(texts(preset->view.row(counted(
                  {number(2), cell("eth0"), cell("eth1"), {"-28", -28}}, places))),
              (std::vector<std::string>{"devmap", "eth0", "-", "-", "REDIRECT", "ENOSPC", "eth1",
                                        "9"}));
}

TEST(Preset, SoftirqsByNameAndShare) {
    const auto preset = *wished("top", {"@softirq"});
    Counted half = counted({number(1), number(3)}, {{}, {.events = 4, .sums = {1'000'000'000}}});
    half.seconds = 2;
    EXPECT_EQ(texts(preset->view.row(half)),
              (std::vector<std::string>{"1", "NET_RX", "4", "1000.000", "250000.0", "50.00"}));
}

TEST(Preset, QdiscsAsTcNamesThem) {
    const auto preset = *wished("top", {"@qdisc"});
    std::vector<Counted::Totals> places(preset->steps.size());
    places[0] = {.events = 5, .sums = {5000, 0}};
    places[2] = {.events = 3, .sums = {5, 0}};        // five packets in three hands
    places[3] = {.events = 3, .sums = {6'000'000, 0}}; // ns
    places[4] = {.events = 2};
    EXPECT_EQ(texts(preset->view.row(counted({cell("eth0"), cell("htb"), number(0x10000),
                                              number(0xffffffff), number(0)},
                                             places))),
              (std::vector<std::string>{"eth0", "htb", "1:", "root", "0", "5", "5000", "5", "2",
                                        "2000.0"}));
}

TEST(Preset, WordsOfKeysMeanWhatThePresetSays) {
    const auto preset = *wished("hist", {"@offcpu"});
    const auto key = *trace::parse_expression("pid / 100 == comm");
    const auto meaning = meant(*preset, key);
    EXPECT_EQ(meaning.children[0].children[0].text, "saved_pid");
    EXPECT_EQ(meaning.children[1].text, "saved_comm");
}

TEST(Preset, OneThatIsNotThereIsRefusedWithTheMend) {
    EXPECT_EQ(wished("top", {"@oncpu"}).error().message(),
              "'@oncpu': `weir top` has no such preset: it is one of `weir hist @oncpu`");
    EXPECT_EQ(wished("rate", {"@vsf"}).error().message(),
              "'@vsf': `weir rate` has no such preset; did you mean '@vfs'?");
    EXPECT_EQ(wished("rate", {"@vfs", "fn:vfs_read"}).error().message(),
              "'fn:vfs_read': a preset stands alone");
    EXPECT_FALSE(*wished("rate", {"fn:vfs_read"}));
}

} // namespace
} // namespace weir::presets
