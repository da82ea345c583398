#include <arpa/inet.h>
#include <bitset>
#include <cstring>
#include <gtest/gtest.h>
#include <random>

#include "compile/images.h"

namespace weir::compile {
namespace {

using model::Interval;
using model::SetType;

void add(model::Config& config, const std::string& name, SetType type,
         std::vector<Interval> elements) {
    config.sets[name] = {name, type, "", model::merged(std::move(elements))};
}

Interval range(const char* first, const char* last) {
    return {IpAddr::parse(first)->number(), IpAddr::parse(last)->number()};
}

Prefix prefix(const set4_key& key) {
    return {IpAddr::v4(ntohl(key.addr)), static_cast<int>(key.prefix_len)};
}

Prefix prefix(const set6_key& key) {
    U128 n;
    for (int i = 0; i < 2; i++) {
        n.hi = n.hi << 32 | ntohl(key.addr[i]);
        n.lo = n.lo << 32 | ntohl(key.addr[2 + i]);
    }
    return {IpAddr::v6(n), static_cast<int>(key.prefix_len)};
}

// "10.0.0.0/8=3": prefix, and its sets by bit.
template <typename Key>
std::vector<std::string> lines(const std::vector<std::pair<Key, set_mask>>& elements) {
    std::vector<std::string> lines;
    for (const auto& [key, mask] : elements) {
        lines.push_back(prefix(key).to_string() + "=" + std::to_string(mask.sets));
    }
    return lines;
}

// The map's own look-up: the longest prefix that covers the address answers.
template <typename Key>
std::uint64_t look_up(const std::vector<std::pair<Key, set_mask>>& elements,
                      const IpAddr& address) {
    int best = -1;
    std::uint64_t sets = 0;
    for (const auto& [key, mask] : elements) {
        const Prefix p = prefix(key);
        if (p.length() > best && p.contains(Prefix(address, address.bits()))) {
            best = p.length();
            sets = mask.sets;
        }
    }
    return sets;
}

using Lines = std::vector<std::string>;

TEST(SetsImage, BitIsThePlaceByName) {
    model::Config config;
    add(config, "zebra", SetType::kIpv4Addr, {});
    add(config, "ant", SetType::kInetService, {});
    EXPECT_EQ(set_bit(config, "ant"), 0U);
    EXPECT_EQ(set_bit(config, "zebra"), 1U);
    EXPECT_EQ(set_bit(config, "bee"), std::nullopt);
}

TEST(SetsImage, ElementsOfNothingAreNothing) {
    const Sets sets = compile_sets({});
    EXPECT_TRUE(sets.v4.empty());
    EXPECT_TRUE(sets.v6.empty());
    EXPECT_TRUE(sets.ports.empty());
}

TEST(SetsImage, RangeBecomesTheFewestPrefixes) {
    model::Config config;
    add(config, "a", SetType::kIpv4Addr, {range("10.0.0.1", "10.0.0.9")});
    EXPECT_EQ(lines(compile_sets(config).v4),
              (Lines{"10.0.0.1=1", "10.0.0.2/31=1", "10.0.0.4/30=1", "10.0.0.8/31=1"}));
}

TEST(SetsImage, WholeAddressSpaceIsOnePrefix) {
    model::Config config;
    add(config, "a", SetType::kIpv4Addr, {range("0.0.0.0", "255.255.255.255")});
    add(config, "b", SetType::kIpv6Addr, {range("::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")});
    const Sets sets = compile_sets(config);
    EXPECT_EQ(lines(sets.v4), Lines{"0.0.0.0/0=1"});
    EXPECT_EQ(lines(sets.v6), Lines{"::/0=2"});
}

TEST(SetsImage, RangeAcrossTheMiddleOfAnIpv6Address) {
    model::Config config;
    add(config, "a", SetType::kIpv6Addr,
        {range("2001:db8::ffff:ffff:ffff:fffe", "2001:db8:0:1::1")});
    EXPECT_EQ(lines(compile_sets(config).v6),
              (Lines{"2001:db8::ffff:ffff:ffff:fffe/127=1", "2001:db8:0:1::/127=1"}));
}

TEST(SetsImage, PrefixCarriesTheSetsOfThoseThatCoverIt) {
    model::Config config;
    add(config, "a", SetType::kIpv4Addr, {range("10.0.0.0", "10.255.255.255")});
    add(config, "b", SetType::kIpv4Addr,
        {range("10.1.0.0", "10.1.255.255"), range("10.3.0.0", "10.3.0.0")});
    add(config, "c", SetType::kIpv4Addr,
        {range("10.1.2.3", "10.1.2.3"), range("10.0.0.0", "10.255.255.255")});
    add(config, "d", SetType::kIpv4Addr,
        {range("10.1.2.3", "10.1.2.3"), range("11.0.0.0", "11.0.0.0")});
    EXPECT_EQ(lines(compile_sets(config).v4),
              (Lines{"10.0.0.0/8=5", "10.1.0.0/16=7", "10.1.2.3=15", "10.3.0.0=7", "11.0.0.0=8"}));
}

TEST(SetsImage, KeysAreInNetworkOrder) {
    model::Config config;
    add(config, "a", SetType::kIpv4Addr, {range("192.0.2.1", "192.0.2.1")});
    add(config, "b", SetType::kIpv6Addr, {range("2001:db8::1", "2001:db8::1")});
    const Sets sets = compile_sets(config);

    const unsigned char addr4[] = {192, 0, 2, 1};
    ASSERT_EQ(sets.v4.size(), 1U);
    EXPECT_EQ(sets.v4[0].first.prefix_len, 32U);
    EXPECT_EQ(std::memcmp(&sets.v4[0].first.addr, addr4, sizeof addr4), 0);

    const unsigned char addr6[] = {0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    ASSERT_EQ(sets.v6.size(), 1U);
    EXPECT_EQ(sets.v6[0].first.prefix_len, 128U);
    EXPECT_EQ(std::memcmp(sets.v6[0].first.addr, addr6, sizeof addr6), 0);
}

TEST(SetsImage, PortsAreAnArrayOfAll) {
    model::Config config;
    add(config, "high", SetType::kInetService, {{{0, 1024}, {0, 65535}}});
    add(config, "web", SetType::kInetService, {{{0, 80}, {0, 80}}, {{0, 8000}, {0, 8080}}});
    const Sets sets = compile_sets(config);
    ASSERT_EQ(sets.ports.size(), static_cast<std::size_t>(PORTS));
    EXPECT_EQ(sets.ports[0].sets, 0U);
    EXPECT_EQ(sets.ports[80].sets, 2U);
    EXPECT_EQ(sets.ports[81].sets, 0U);
    EXPECT_EQ(sets.ports[1023].sets, 0U);
    EXPECT_EQ(sets.ports[1024].sets, 1U);
    EXPECT_EQ(sets.ports[8080].sets, 3U);
    EXPECT_EQ(sets.ports[8081].sets, 1U);
    EXPECT_EQ(sets.ports[65535].sets, 1U);
}

TEST(SetsImage, SetSixtyFourIsTheLast) {
    model::Config config;
    for (int i = 0; i < 64; i++) {
        add(config, "s" + std::to_string(10 + i), SetType::kIpv4Addr,
            {range("192.0.2.1", "192.0.2.1")});
    }
    EXPECT_EQ(lines(compile_sets(config).v4), Lines{"192.0.2.1=18446744073709551615"});
}

TEST(SetsImage, AsManyElementsAsTheMapHolds) {
    std::vector<Interval> elements;
    for (std::uint64_t i = 0; i < SET_ELEMENTS_DEFAULT; i++) {
        elements.push_back({{0, 3 * i}, {0, 3 * i}});
    }
    model::Config config;
    add(config, "a", SetType::kIpv4Addr, elements);
    EXPECT_EQ(compile_sets(config).v4.size(), static_cast<std::size_t>(SET_ELEMENTS_DEFAULT));
}

// Random overlapping sets in a corner of the address space; every address and every boundary asked.
TEST(SetsImage, LongestPrefixAnswersForEverySet) {
    std::mt19937_64 random(1);
    const std::uint64_t corner = 0x2001'0db8'0000'0000;
    for (int round = 0; round < 30; round++) {
        model::Config config;
        for (const char* name : {"a", "b", "c", "d", "e"}) {
            std::vector<Interval> four, six;
            for (std::size_t n = random() % 6; n-- > 0;) {
                const std::uint64_t first = random() % 256;
                four.push_back({{0, first}, {0, first + random() % (256 - first)}});
                // Eight addresses on either side of a change of the upper half.
                const std::uint64_t from = random() % 16, to = from + random() % (16 - from);
                const auto near = [&](std::uint64_t i) {
                    return i < 8 ? U128{corner, i - 8} : U128{corner + 1, i - 8};
                };
                six.push_back({near(from), near(to)});
            }
            add(config, name, SetType::kIpv4Addr, four);
            add(config, name + std::string("6"), SetType::kIpv6Addr, six);
        }
        const Sets sets = compile_sets(config);
        const auto expected = [&](SetType type, U128 n) {
            std::bitset<64> bits;
            for (const auto& [name, set] : config.sets) {
                for (const Interval& i : set.elements) {
                    bits[*set_bit(config, name)] =
                        bits[*set_bit(config, name)] ||
                        (set.type == type && i.first <= n && n <= i.last);
                }
            }
            return bits.to_ullong();
        };
        for (std::uint32_t i = 0; i < 300; i++) {
            ASSERT_EQ(look_up(sets.v4, IpAddr::v4(i)), expected(SetType::kIpv4Addr, {0, i}));
        }
        for (std::uint64_t i = 0; i < 32; i++) {
            const U128 n = i < 16 ? U128{corner, i - 16} : U128{corner + 1, i - 16};
            ASSERT_EQ(look_up(sets.v6, IpAddr::v6(n)), expected(SetType::kIpv6Addr, n));
        }
    }
}

} // namespace
} // namespace weir::compile
