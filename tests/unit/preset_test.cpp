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
        EXPECT_FALSE(preset->steps.empty());
        EXPECT_FALSE(entry.summary.empty());
        if (entry.verb == "top") {
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
