#include "text/rule_text.h"

#include <gtest/gtest.h>

namespace weir::text {
namespace {

using model::Interval;
using model::Rule;
using model::SetType;

Rule rule(std::string_view text) {
    std::vector<Warning> warnings;
    auto parsed = parse_rule(text, warnings);
    EXPECT_TRUE(parsed) << text << ": " << parsed.error().message;
    EXPECT_TRUE(warnings.empty()) << text;
    return parsed ? *parsed : Rule{};
}

Interval number(std::uint64_t first, std::uint64_t last) {
    return {{0, first}, {0, last}};
}
Interval number(std::uint64_t value) {
    return number(value, value);
}

TEST(ParseRule, MakesMatchesCounterVerdictAndComment) {
    const Rule r = rule(R"(ip saddr 10.0.0.0/8 tcp dport { 22, 80-90 } counter drop comment "no")");

    ASSERT_EQ(r.matches.size(), 2U);
    EXPECT_EQ(r.matches[0].field, model::Field::kIpSaddr);
    EXPECT_EQ(r.matches[0].values, std::vector{number(0x0a000000, 0x0affffff)});
    EXPECT_FALSE(r.matches[0].braces);
    EXPECT_EQ(r.matches[1].field, model::Field::kTcpDport);
    EXPECT_EQ(r.matches[1].values, (std::vector{number(22), number(80, 90)}));
    EXPECT_TRUE(r.matches[1].braces);
    EXPECT_FALSE(r.matches[1].negated);
    EXPECT_TRUE(r.counter);
    EXPECT_EQ(r.verdict, model::Verdict::kDrop);
    EXPECT_EQ(r.comment, "no");
    EXPECT_EQ(r.handle, 0U);
    EXPECT_EQ(r.slot, model::kNoSlot);
}

TEST(ParseRule, CounterAloneHasNoVerdict) {
    EXPECT_EQ(rule("tcp dport 22 counter").verdict, std::nullopt);
}

TEST(ParseRule, NamesASet) {
    const model::Match match = rule("ip saddr != @blocked-2.x drop").matches[0];
    EXPECT_EQ(match.set, "blocked-2.x");
    EXPECT_TRUE(match.negated);
    EXPECT_TRUE(match.values.empty());
}

TEST(ParseRule, TurnsComparisonsIntoRanges) {
    const std::pair<const char*, Interval> cases[] = {
        {"<", number(0, 1023)},      {"<=", number(0, 1024)},     {">", number(1025, 65535)},
        {">=", number(1024, 65535)}, {"lt", number(0, 1023)},     {"le", number(0, 1024)},
        {"gt", number(1025, 65535)}, {"ge", number(1024, 65535)}, {"==", number(1024)},
        {"eq", number(1024)},
    };
    for (const auto& [compare, expected] : cases) {
        const Rule r = rule("tcp dport " + std::string(compare) + " 1024 accept");
        EXPECT_EQ(r.matches[0].values, std::vector{expected}) << compare;
        EXPECT_FALSE(r.matches[0].negated) << compare;
    }
    EXPECT_TRUE(rule("tcp dport ne 1024 accept").matches[0].negated);
    EXPECT_EQ(print(rule("tcp dport < 1024 accept")), "tcp dport 0-1023 accept");
    EXPECT_EQ(print(rule("ip6 saddr > ::1 accept")),
              "ip6 saddr ::2-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff accept");
    EXPECT_EQ(print(rule("ip dscp >= cs1 accept")), "ip dscp 0x08-0x3f accept");
}

TEST(ParseRule, EqualMeaningIsAnEqualRule) {
    const std::pair<const char*, const char*> cases[] = {
        {"tcp dport { 90, 22, 22 } drop", "tcp dport { 22, 90 } drop"},
        {"tcp dport { 22-30, 31, 25-40 } drop", "tcp dport 22-40 drop"},
        {"tcp dport { 22, 22 } drop", "tcp dport 22 drop"},
        {"ip saddr { 10.0.0.0/9, 10.128.0.0/9 } drop", "ip saddr 10.0.0.0/8 drop"},
        {"ip saddr 10.0.0.0-10.0.0.255 drop", "ip saddr 10.0.0.0/24 drop"},
        {R"(iifname { "eth0", "eth*" } drop)", "iifname \"eth*\" drop"},
        {"meta iifname eth0 drop", "iifname \"eth0\" drop"},
        {"meta oifname eth0 drop", "oifname \"eth0\" drop"},
        {"tcp flags & (syn|ack) != 0 drop", "tcp flags syn,ack drop"},
        {"tcp flags & 0xff == syn drop", "tcp flags == syn drop"},
        {"tcp flags ece drop", "tcp flags ecn drop"},
        {"meta l4proto 58 drop", "meta l4proto icmpv6 drop"},
        {"ip saddr 10.0.0.0 / 8 drop", "ip saddr 10.0.0.0/8 drop"},
        {"tcp dport 80- 90 drop", "tcp dport 80 -90 drop"},
        {"\ttcp\n dport 0x16\r\n drop ", "tcp dport 22 drop"},
    };
    for (const auto& [written, same] : cases) {
        EXPECT_TRUE(rule(written).same(rule(same))) << written;
        EXPECT_EQ(print(rule(written)), print(rule(same)));
    }
}

TEST(ParseRule, NamesThatTouchAreNotJoined) {
    EXPECT_EQ(print(rule("iifname { \"b*\", \"a*\" } drop")), "iifname { \"a*\", \"b*\" } drop");
}

TEST(ParseRule, TcpFlagsWithoutOperatorAreAMaskedComparison) {
    const model::Match any = rule("tcp flags syn,ack drop").matches[0];
    EXPECT_EQ(any.mask, 0x12U);
    EXPECT_TRUE(any.negated);
    EXPECT_EQ(any.values, std::vector{number(0)});

    const model::Match masked = rule("tcp flags & (syn | ack) == syn drop").matches[0];
    EXPECT_EQ(masked.mask, 0x12U);
    EXPECT_FALSE(masked.negated);
    EXPECT_EQ(masked.values, std::vector{number(2)});

    const model::Match exact = rule("tcp flags == syn drop").matches[0];
    EXPECT_EQ(exact.mask, std::nullopt);
    EXPECT_EQ(exact.values, std::vector{number(2)});
}

TEST(ParseRule, InterfaceNamesAreSixteenOctetNumbers) {
    const Interval one = rule("iifname eth0 drop").matches[0].values[0];
    EXPECT_EQ(one.first, (U128{0x6574683000000000, 0}));
    EXPECT_EQ(one.last, one.first);

    const Interval all = rule("iifname \"eth*\" drop").matches[0].values[0];
    EXPECT_EQ(all.first, (U128{0x6574680000000000, 0}));
    EXPECT_EQ(all.last, (U128{0x657468ffffffffff, ~0ULL}));
}

TEST(ParseRule, TakesServiceNamesOfTheSystem) {
    std::vector<Warning> warnings;
    if (!parse_rule("tcp dport ssh accept", warnings)) {
        GTEST_SKIP() << "/etc/services has no ssh (package netbase)";
    }
    EXPECT_EQ(print(rule("tcp dport { ssh, http-alt } accept")), "tcp dport { 22, 8080 } accept");
    EXPECT_EQ(print(rule("tcp dport bootps accept")), "tcp dport 67 accept");
}

TEST(ParseRule, WarnsOfHostBits) {
    std::vector<Warning> warnings;
    const auto r = parse_rule("ip saddr { 10.0.0.1/8, 192.0.2.0/24 } drop", warnings);
    ASSERT_TRUE(r);
    EXPECT_EQ(print(*r), "ip saddr { 10.0.0.0/8, 192.0.2.0/24 } drop");
    ASSERT_EQ(warnings.size(), 1U);
    EXPECT_EQ(warnings[0].place.column, 12);
    EXPECT_EQ(warnings[0].message, "10.0.0.1/8 has host bits set: taken as 10.0.0.0/8");

    ASSERT_TRUE(parse_rule("ip6 daddr 2001:db8::1/32 drop", warnings));
    EXPECT_EQ(warnings[1].message, "2001:db8::1/32 has host bits set: taken as 2001:db8::/32");
}

TEST(ParseRule, CountsLinesAndCharacters) {
    std::vector<Warning> warnings;
    const auto lines = parse_rule("tcp dport 22\n  drp", warnings);
    ASSERT_FALSE(lines);
    EXPECT_EQ(lines.error().place.line, 2);
    EXPECT_EQ(lines.error().place.column, 3);
    // Columns are characters, not octets.
    const auto wide = parse_rule("drop comment \"é€𐍈\" x", warnings);
    ASSERT_FALSE(wide);
    EXPECT_EQ(wide.error().place.column, 20);
}

TEST(ParseRule, TakesACommentOf128Octets) {
    const std::string longest(128, 'x');
    EXPECT_EQ(rule("drop comment \"" + longest + "\"").comment, longest);
}

// Whatever words come: a refusal, or a rule that prints to itself.
TEST(ParseRule, RandomWordsAreRefusedOrReadBack) {
    constexpr std::string_view kVocabulary[] = {"ip saddr",
                                                "ip6 daddr",
                                                "tcp dport",
                                                "udp sport",
                                                "tcp flags",
                                                "ip frag-off",
                                                "iifname",
                                                "vlan id",
                                                "ip dscp",
                                                "icmp type",
                                                "meta l4proto",
                                                "ether saddr",
                                                "ether type",
                                                "!=",
                                                "==",
                                                "<",
                                                ">=",
                                                "!",
                                                "{",
                                                "}",
                                                ",",
                                                "/",
                                                "|",
                                                "&",
                                                "(",
                                                ")",
                                                "-",
                                                "22",
                                                "80-90",
                                                "0x1fff",
                                                "0",
                                                "10.0.0.0",
                                                "10.0.0.1-10.0.0.9",
                                                "2001:db8::",
                                                "8",
                                                "syn",
                                                "ack",
                                                "ef",
                                                "tcp",
                                                "echo-request",
                                                "arp",
                                                "02:00:00:00:00:01",
                                                "eth*",
                                                "\"lo\"",
                                                "@set",
                                                "counter",
                                                "accept",
                                                "drop",
                                                "comment",
                                                "\"text\"",
                                                "65535",
                                                "\n"};
    std::uint32_t seed = 1;
    const auto random = [&seed](std::size_t limit) {
        seed = seed * 1664525 + 1013904223; // Numerical Recipes' LCG
        return (seed >> 16) % limit;
    };
    int taken = 0;
    for (int i = 0; i < 20000; i++) {
        std::string text;
        for (std::size_t words = random(8); words > 0; words--) {
            text += std::string(kVocabulary[random(std::size(kVocabulary))]) + " ";
        }
        text += random(2) == 0 ? "drop" : "";
        std::vector<Warning> warnings;
        const auto parsed = parse_rule(text, warnings);
        if (!parsed) {
            EXPECT_FALSE(parsed.error().message.empty()) << text;
            continue;
        }
        taken++;
        for (const Style style : {Style::kNames, Style::kNumeric}) {
            const auto again = parse_rule(print(*parsed, style), warnings);
            ASSERT_TRUE(again) << text << ": " << again.error().message;
            ASSERT_TRUE(again->same(*parsed)) << text << ": " << print(*parsed, style);
        }
    }
    EXPECT_GT(taken, 200);
}

TEST(ToError, NamesFileLineAndColumn) {
    const TextError error{{3, 7}, "unknown word 'tpc'"};
    EXPECT_EQ(to_error(error, "weir.yaml").message(), "weir.yaml:3:7: unknown word 'tpc'");
    EXPECT_EQ(to_error(error, "").message(), "line 3, column 7: unknown word 'tpc'");
    EXPECT_EQ(to_error({{1, 5}, "x"}, "").message(), "column 5: x");
    EXPECT_EQ(to_error(error, "").fault(), Fault::kUsage);
}

TEST(DidYouMean, FindsTheNearestWord) {
    const std::vector<std::string_view> known = {"accept", "drop", "tcp", "udp", "ip"};
    EXPECT_EQ(did_you_mean("acept", known), "accept");
    EXPECT_EQ(did_you_mean("accetp", known), "accept"); // two letters swapped
    EXPECT_EQ(did_you_mean("tpc", known), "tcp");
    EXPECT_EQ(did_you_mean("dropp", known), "drop");
    EXPECT_EQ(did_you_mean("tcpp", known), "tcp");
    EXPECT_EQ(did_you_mean("xyz", known), "");
    EXPECT_EQ(did_you_mean("pi", known), "");
    EXPECT_EQ(did_you_mean("", known), "");
    EXPECT_EQ(did_you_mean(std::string(100000, 'x'), known), "");
    EXPECT_EQ(did_you_mean("tcp", {}), "");
}

TEST(Element, IsPrintedAsItIsRead) {
    const std::pair<SetType, const char*> cases[] = {
        {SetType::kIpv4Addr, "10.0.0.0/8"},    {SetType::kIpv4Addr, "198.51.100.7"},
        {SetType::kIpv4Addr, "0.0.0.0/0"},     {SetType::kIpv4Addr, "10.0.0.1-10.0.0.9"},
        {SetType::kIpv6Addr, "2001:db8::/32"}, {SetType::kIpv6Addr, "2001:db8::1"},
        {SetType::kIpv6Addr, "::/0"},          {SetType::kIpv6Addr, "::1-::9"},
        {SetType::kInetService, "80"},         {SetType::kInetService, "8000-8080"},
        {SetType::kInetService, "0-65535"},
    };
    for (const auto& [type, text] : cases) {
        std::vector<Warning> warnings;
        const auto element = parse_element(type, text, warnings);
        ASSERT_TRUE(element) << element.error().message;
        EXPECT_EQ(print_element(type, *element), text);
        EXPECT_TRUE(warnings.empty());
    }
}

TEST(Element, SaysWhatIsWrong) {
    const std::tuple<SetType, const char*, int, std::string> cases[] = {
        {SetType::kIpv4Addr, "", 1, "the element is empty"},
        {SetType::kIpv4Addr, "2001:db8::1", 1,
         "'2001:db8::1' is an IPv6 address: ipv4_addr takes IPv4"},
        {SetType::kIpv6Addr, "10.0.0.1", 1, "'10.0.0.1' is an IPv4 address: ipv6_addr takes IPv6"},
        {SetType::kIpv4Addr, "10.0.0.1 10.0.0.2", 10,
         "'10.0.0.2' after the element: expected one value, range or prefix"},
        {SetType::kIpv4Addr, "10.0.0.0/40", 1, "'10.0.0.0/40': the prefix length must be 0 to 32"},
        {SetType::kInetService, "70000", 1,
         "'70000' is out of range: inet_service takes 0 to 65535"},
        {SetType::kInetService, "90-80", 1, "the range '90-80' is reversed: write 80-90"},
        {SetType::kInetService, "@other", 1,
         "'@other': inet_service takes no named set here; write the values, { A, B }"},
    };
    for (const auto& [type, text, column, message] : cases) {
        std::vector<Warning> warnings;
        const auto element = parse_element(type, text, warnings);
        ASSERT_FALSE(element) << text;
        EXPECT_EQ(element.error().place.column, column) << text;
        EXPECT_EQ(element.error().message, message);
    }
}

TEST(Element, WarnsOfHostBits) {
    std::vector<Warning> warnings;
    const auto element = parse_element(SetType::kIpv6Addr, "2001:db8::1/32", warnings);
    ASSERT_TRUE(element);
    ASSERT_EQ(warnings.size(), 1U);
    EXPECT_EQ(warnings[0].message, "2001:db8::1/32 has host bits set: taken as 2001:db8::/32");
}

} // namespace
} // namespace weir::text
