#include <algorithm>
#include <gtest/gtest.h>
#include <map>

#include "compile/images.h"

namespace weir::compile {
namespace {

constexpr std::uint32_t kBuckets = 65536;

IpAddr address(std::uint32_t i) {
    return IpAddr::v4(0x0a000002 + i); // 10.0.0.2 and on
}

std::vector<RingMember> equal_members(std::uint32_t count) {
    std::vector<RingMember> members;
    for (std::uint32_t i = 0; i < count; i++) {
        members.push_back({100 + i, 1, address(i)});
    }
    return members;
}

std::map<std::uint32_t, std::uint32_t> buckets(const std::vector<std::uint32_t>& ring) {
    std::map<std::uint32_t, std::uint32_t> count;
    for (const std::uint32_t index : ring) {
        count[index]++;
    }
    return count;
}

// Every member within 1 % of what its weight promises, and nothing else in the ring.
void expect_spread(const std::vector<RingMember>& members) {
    const auto ring = maglev(members, 0, kBuckets);
    ASSERT_EQ(ring.size(), static_cast<std::size_t>(kBuckets));
    auto count = buckets(ring);
    double weights = 0;
    for (const RingMember& m : members) {
        weights += m.weight;
    }
    std::uint32_t sum = 0;
    for (const RingMember& m : members) {
        const double share = kBuckets * m.weight / weights;
        EXPECT_NEAR(count[m.index], share, share / 100) << m.address.to_string();
        sum += count[m.index];
    }
    EXPECT_EQ(sum, static_cast<std::uint32_t>(kBuckets));
}

TEST(Maglev, WithoutMembersIsEmpty) {
    const std::vector<std::uint32_t> empty(kBuckets, BUCKET_NONE);
    EXPECT_EQ(maglev({}, 0, kBuckets), empty);
    EXPECT_EQ(maglev({{1, 0, address(1)}, {2, 0, address(2)}}, 0, kBuckets), empty);
}

TEST(Maglev, OneMemberHasAll) {
    EXPECT_EQ(maglev({{7, 65535, address(1)}}, 0, kBuckets), std::vector<std::uint32_t>(kBuckets, 7));
}

TEST(Maglev, SpreadFollowsWeights) {
    expect_spread(equal_members(2));
    expect_spread(equal_members(10));
    expect_spread(equal_members(100));
    expect_spread({{0, 1, address(0)}, {1, 2, address(1)}, {2, 3, address(2)}});
    expect_spread({{0, 40000, address(0)}, {1, 40000, address(1)}, {2, 40001, address(2)}});
    expect_spread({{0, 65535, address(0)}, {1, 1000, address(1)}, {2, 999, address(2)}});
}

TEST(Maglev, ShareIsExactToTwoBuckets) {
    std::vector<RingMember> members;
    double weights = 0;
    for (std::uint32_t i = 0; i < 500; i++) {
        members.push_back({i, 1 + i * i % 1000, address(i)});
        weights += members.back().weight;
    }
    auto count = buckets(maglev(members, 0, kBuckets));
    for (const RingMember& m : members) {
        EXPECT_NEAR(count[m.index], kBuckets * m.weight / weights, 2);
    }
}

TEST(Maglev, MemberOfWeightZeroHasNoBucketAndChangesNone) {
    std::vector<RingMember> members = equal_members(3);
    const auto without = maglev(members, 0, kBuckets);
    members.push_back({9, 0, address(9)});
    EXPECT_EQ(maglev(members, 0, kBuckets), without);
}

// A weight of 1 beside one of 65,535 still is a bucket; among ten of those it rounds to none.
TEST(Maglev, ExtremeWeights) {
    auto count = buckets(maglev({{0, 65535, address(0)}, {1, 1, address(1)}}, 0, kBuckets));
    EXPECT_EQ(count[1], 1U);

    std::vector<RingMember> members = equal_members(10);
    for (RingMember& m : members) {
        m.weight = 65535;
    }
    members.push_back({1, 1, address(99)});
    count = buckets(maglev(members, 0, kBuckets));
    EXPECT_EQ(count.count(1), 0U);
    EXPECT_EQ(count.size(), 10U);
}

TEST(Maglev, OrderOfMembersDoesNotMatter) {
    std::vector<RingMember> members = equal_members(20);
    members[3].weight = 5;
    const auto ring = maglev(members, 0, kBuckets);
    std::reverse(members.begin(), members.end());
    EXPECT_EQ(maglev(members, 0, kBuckets), ring);
}

// Another seed is another ring; indices are names alone.
TEST(Maglev, SeedAndAddressMakeTheRing) {
    std::vector<RingMember> members = equal_members(2);
    const auto ring = maglev(members, 0, kBuckets);
    EXPECT_NE(maglev(members, 1, kBuckets), ring);
    members[0].index = 500;
    auto renamed = ring;
    std::replace(renamed.begin(), renamed.end(), 100U, 500U);
    EXPECT_EQ(maglev(members, 0, kBuckets), renamed);
}

// Nodes of another build, another byte order, another year must agree with this one.
TEST(Maglev, RingIsTheSameForEver) {
    const auto digest = [](const std::vector<std::uint32_t>& ring) {
        std::uint64_t hash = 0xcbf29ce484222325; // FNV-1a over the indices
        for (const std::uint32_t index : ring) {
            hash = (hash ^ index) * 0x100000001b3;
        }
        return hash;
    };
    std::vector<RingMember> members = equal_members(10);
    members[4].weight = 3;
    members.push_back({1, 2, *IpAddr::parse("2001:db8::1")});
    EXPECT_EQ(digest(maglev(members, 0, kBuckets)), 8648380004868142050U);
    EXPECT_EQ(digest(maglev(members, 0x0123456789abcdef, kBuckets)), 10085867630372874344U);
}

// At most 1 % of the buckets of the others move when one of 100 leaves, whichever it is.
TEST(Maglev, FewOthersMoveWhenOneOfAHundredLeaves) {
    const std::vector<RingMember> members = equal_members(100);
    const auto full = maglev(members, 0, kBuckets);
    for (std::size_t gone = 0; gone < members.size(); gone++) {
        std::vector<RingMember> rest = members;
        rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(gone));
        const auto ring = maglev(rest, 0, kBuckets);
        std::size_t others = 0, moved = 0;
        for (std::size_t bucket = 0; bucket < ring.size(); bucket++) {
            if (full[bucket] != members[gone].index) {
                others++;
                moved += full[bucket] != ring[bucket];
            }
        }
        EXPECT_LE(100 * moved, others) << "without " << members[gone].address.to_string();
    }
}

} // namespace
} // namespace weir::compile
