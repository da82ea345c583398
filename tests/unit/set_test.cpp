#include "model/set.h"

#include <gtest/gtest.h>

namespace weir::model {
namespace {

constexpr U128 kGreatest{~0ULL, ~0ULL};

Interval range(std::uint64_t first, std::uint64_t last) {
    return {{0, first}, {0, last}};
}

Set ports(std::vector<Interval> elements) {
    return {
        .name = "p", .type = SetType::kInetService, .comment = "", .elements = std::move(elements)};
}

TEST(Numbers, StopAtBothEnds) {
    EXPECT_EQ(above(kGreatest), kGreatest);
    EXPECT_EQ(below(U128{}), U128{});
    EXPECT_EQ(above({0, ~0ULL}), (U128{1, 0}));
    EXPECT_EQ(below({1, 0}), (U128{0, ~0ULL}));
}

TEST(Set, NamesOfTypes) {
    EXPECT_EQ(name(SetType::kIpv4Addr), "ipv4_addr");
    EXPECT_EQ(name(SetType::kIpv6Addr), "ipv6_addr");
    EXPECT_EQ(name(SetType::kInetService), "inet_service");
}

TEST(Set, InsertKeepsOrder) {
    Set set = ports({});
    for (const std::uint64_t port : {80, 22, 443}) {
        insert(set, range(port, port));
    }
    EXPECT_EQ(set.elements, (std::vector{range(22, 22), range(80, 80), range(443, 443)}));
}

TEST(Set, InsertJoinsWhatOverlapsOrAdjoins) {
    Set set = ports({range(10, 19), range(30, 39), range(50, 59), range(70, 79)});

    insert(set, range(20, 20));
    EXPECT_EQ(set.elements[0], range(10, 20));
    insert(set, range(49, 49));
    EXPECT_EQ(set.elements[2], range(49, 59));
    insert(set, range(15, 55));
    EXPECT_EQ(set.elements, (std::vector{range(10, 59), range(70, 79)}));
    insert(set, range(0, 100));
    EXPECT_EQ(set.elements, (std::vector{range(0, 100)}));
    insert(set, range(5, 6));
    EXPECT_EQ(set.elements, (std::vector{range(0, 100)}));
}

TEST(Set, InsertDoesNotWrapAtTheEnds) {
    Set set{.name = "s", .type = SetType::kIpv6Addr, .comment = "", .elements = {}};
    insert(set, {kGreatest, kGreatest});
    insert(set, Interval{});
    EXPECT_EQ(set.elements, (std::vector<Interval>{{{}, {}}, {kGreatest, kGreatest}}));
    insert(set, {{0, 1}, below(kGreatest)});
    EXPECT_EQ(set.elements, (std::vector<Interval>{{{}, kGreatest}}));
}

TEST(Set, InsertOfManyEqualsInsertOfEach) {
    const std::vector<Interval> many = {range(7, 9), range(1, 3), range(4, 4), range(20, 30),
                                        range(25, 26)};
    Set each = ports({range(31, 31)});
    Set all = each;
    for (const Interval& element : many) {
        insert(each, element);
    }
    insert(all, many);
    EXPECT_EQ(all.elements, (std::vector{range(1, 4), range(7, 9), range(20, 31)}));
    EXPECT_EQ(each, all);
}

TEST(Set, RemoveSplitsTrimsAndErases) {
    Set set = ports({range(10, 19), range(30, 39)});

    EXPECT_TRUE(remove(set, range(14, 15)));
    EXPECT_EQ(set.elements, (std::vector{range(10, 13), range(16, 19), range(30, 39)}));
    EXPECT_TRUE(remove(set, range(10, 11)));
    EXPECT_TRUE(remove(set, range(19, 19)));
    EXPECT_EQ(set.elements, (std::vector{range(12, 13), range(16, 18), range(30, 39)}));
    EXPECT_TRUE(remove(set, range(30, 39)));
    EXPECT_EQ(set.elements, (std::vector{range(12, 13), range(16, 18)}));
}

TEST(Set, RemoveOfWhatIsNotWhollyThereChangesNothing) {
    Set set = ports({range(10, 19), range(21, 29)});
    const Set before = set;

    for (const Interval& element : {range(9, 10), range(19, 20), range(10, 29), range(20, 20),
                                    range(0, 0), range(29, 30), range(40, 50)}) {
        EXPECT_FALSE(remove(set, element));
        EXPECT_EQ(set, before);
    }
}

TEST(Set, RemoveDoesNotWrapAtTheEnds) {
    Set set{.name = "s", .type = SetType::kIpv6Addr, .comment = "", .elements = {{{}, kGreatest}}};
    EXPECT_TRUE(remove(set, Interval{}));
    EXPECT_TRUE(remove(set, {kGreatest, kGreatest}));
    EXPECT_EQ(set.elements, (std::vector<Interval>{{{0, 1}, below(kGreatest)}}));
    EXPECT_FALSE(remove(set, Interval{}));
}

// Against the plainest model: one flag for each port.
TEST(Set, ManyChangesAgreeWithABitmap) {
    Set set = ports({});
    std::vector<bool> bits(64);
    std::uint32_t seed = 1;
    const auto random = [&seed](std::uint32_t below_this) {
        seed = seed * 1664525 + 1013904223; // Numerical Recipes' LCG
        return (seed >> 16) % below_this;
    };
    for (int i = 0; i < 5000; i++) {
        const std::uint32_t first = random(64);
        const std::uint32_t last = first + random(64 - first);
        bool whole = true;
        for (std::uint32_t port = first; port <= last; port++) {
            whole = whole && bits[port];
        }
        const bool add = random(2) == 0;
        if (add) {
            insert(set, range(first, last));
        } else {
            ASSERT_EQ(remove(set, range(first, last)), whole);
        }
        for (std::uint32_t port = first; port <= last && (add || whole); port++) {
            bits[port] = add;
        }
        std::vector<Interval> expected;
        for (std::uint32_t port = 0; port < 64; port++) {
            if (bits[port] && port > 0 && bits[port - 1]) {
                expected.back().last.lo = port;
            } else if (bits[port]) {
                expected.push_back(range(port, port));
            }
        }
        ASSERT_EQ(set.elements, expected);
    }
}

} // namespace
} // namespace weir::model
