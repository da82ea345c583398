#include "base/address.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

TEST(IpAddr, ReadsAndPrintsIpv4) {
    const auto address = IpAddr::parse("192.0.2.1");
    ASSERT_TRUE(address);
    EXPECT_EQ(address->family(), Family::kIpv4);
    EXPECT_EQ(address->number(), (U128{0, 0xc0000201}));
    EXPECT_EQ(address->octets()[0], 192);
    EXPECT_EQ(address->octets()[3], 1);
    EXPECT_EQ(address->octets()[4], 0);
    EXPECT_EQ(address->to_string(), "192.0.2.1");
    EXPECT_EQ(IpAddr::v4(0xc0000201), *address);
}

TEST(IpAddr, ReadsAndPrintsIpv6) {
    const auto address = IpAddr::parse("2001:0db8:0:0::1");
    ASSERT_TRUE(address);
    EXPECT_EQ(address->family(), Family::kIpv6);
    EXPECT_EQ(address->number(), (U128{0x20010db800000000, 1}));
    EXPECT_EQ(address->to_string(), "2001:db8::1");
    EXPECT_EQ(IpAddr::v6({0x20010db800000000, 1}), *address);
}

TEST(IpAddr, RefusesWhatIsNoAddress) {
    for (const char* text : {"", "10.0.0", "10.0.0.256", "010.0.0.1", "10.0.0.1 ", "::1%lo",
                             "2001:db8:::1", "1:2:3:4:5:6:7:8:9", "localhost"}) {
        const auto address = IpAddr::parse(text);
        ASSERT_FALSE(address) << text;
        EXPECT_EQ(address.error().message(), "'" + std::string(text) +
                                                 "' is not an IP address: expected 192.0.2.1 or "
                                                 "2001:db8::1");
        EXPECT_EQ(address.error().fault(), Fault::kUsage);
    }
}

TEST(IpAddr, RefusesWhatStandsBehindANul) {
    EXPECT_FALSE(IpAddr::parse(std::string_view("10.0.0.1\0junk", 13)));
    EXPECT_FALSE(IpAddr::parse(std::string_view("::1\0", 4)));
}

TEST(Prefix, MasksHostBitsAndSaysSo) {
    bool masked = false;
    const auto prefix = Prefix::parse("10.1.2.3/8", &masked);
    ASSERT_TRUE(prefix);
    EXPECT_TRUE(masked);
    EXPECT_EQ(prefix->to_string(), "10.0.0.0/8");
    EXPECT_EQ(prefix->first(), (U128{0, 0x0a000000}));
    EXPECT_EQ(prefix->last(), (U128{0, 0x0affffff}));

    ASSERT_TRUE(Prefix::parse("10.0.0.0/8", &masked));
    EXPECT_FALSE(masked);
}

TEST(Prefix, OfEveryLengthHasTheRightEnds) {
    const IpAddr ones = IpAddr::v6({~0ULL, ~0ULL});
    for (int length = 0; length <= 128; length++) {
        const Prefix prefix(ones, length);
        EXPECT_EQ(prefix.last(), (U128{~0ULL, ~0ULL})) << length;
        const std::uint64_t hi = length == 0 ? 0 : length >= 64 ? ~0ULL : ~0ULL << (64 - length);
        const std::uint64_t lo = length <= 64 ? 0 : ~0ULL << (128 - length);
        EXPECT_EQ(prefix.first(), (U128{hi, lo})) << length;
    }
}

TEST(Prefix, OfOneAddressIsPrintedWithoutLength) {
    EXPECT_EQ(Prefix::parse("10.0.0.1")->to_string(), "10.0.0.1");
    EXPECT_EQ(Prefix::parse("10.0.0.1/32")->to_string(), "10.0.0.1");
    EXPECT_EQ(Prefix::parse("::1/128")->to_string(), "::1");
    EXPECT_EQ(Prefix::parse("::/0")->to_string(), "::/0");
}

TEST(Prefix, RefusesABadLength) {
    const auto ipv4 = Prefix::parse("10.0.0.0/33");
    ASSERT_FALSE(ipv4);
    EXPECT_EQ(ipv4.error().message(), "'10.0.0.0/33': the prefix length must be 0 to 32");
    const auto ipv6 = Prefix::parse("::/129");
    ASSERT_FALSE(ipv6);
    EXPECT_EQ(ipv6.error().message(), "'::/129': the prefix length must be 0 to 128");
    EXPECT_FALSE(Prefix::parse("10.0.0.0/"));
    EXPECT_FALSE(Prefix::parse("10.0.0.0/8x"));
    EXPECT_FALSE(Prefix::parse("10.0.0.0/-1"));
    EXPECT_FALSE(Prefix::parse("10.0.0.0/-0"));
    EXPECT_FALSE(Prefix::parse("10.0.0.0/08"));
}

TEST(Prefix, ContainsItselfAndWhatIsLonger) {
    const Prefix wide = *Prefix::parse("10.0.0.0/8");
    EXPECT_TRUE(wide.contains(wide));
    EXPECT_TRUE(wide.contains(*Prefix::parse("10.255.0.0/16")));
    EXPECT_FALSE(wide.contains(*Prefix::parse("11.0.0.0/16")));
    EXPECT_FALSE(wide.contains(*Prefix::parse("0.0.0.0/0")));
    EXPECT_FALSE(wide.contains(*Prefix::parse("::/8")));
}

TEST(MacAddr, ReadsAndPrints) {
    const auto mac = MacAddr::parse("2:0:0:AB:cd:1");
    ASSERT_TRUE(mac);
    EXPECT_EQ(mac->to_string(), "02:00:00:ab:cd:01");
    EXPECT_EQ(mac->number(), 0x020000abcd01U);
    EXPECT_EQ(MacAddr::from_number(0x020000abcd01), *mac);
}

TEST(MacAddr, RefusesWhatIsNoAddress) {
    for (const char* text : {"", "02:00:00:00:00", "02:00:00:00:00:00:01", "02-00-00-00-00-01",
                             "0g:00:00:00:00:01", "002:00:00:00:00:01", "02:00:00:00:00:"}) {
        const auto mac = MacAddr::parse(text);
        ASSERT_FALSE(mac) << text;
        EXPECT_EQ(mac.error().message(),
                  "'" + std::string(text) +
                      "' is not an Ethernet address: expected 02:00:00:00:00:01");
    }
}

} // namespace
} // namespace weir
