#include <gtest/gtest.h>

#include "bench/packet/rule_generator.h"
#include "rule_oracle.h"
#include "text/rule_text.h"

namespace weir::bench {
namespace {

test::Packet packet_of(const text::PacketFields& fields) {
    test::Packet packet;
    packet.ether_type = fields.family == Family::kIpv4 ? test::kIpv4 : test::kIpv6;
    packet.saddr = fields.saddr->number();
    packet.daddr = fields.daddr->number();
    packet.l4proto = fields.protocol.value_or(6);
    packet.sport = fields.sport;
    packet.dport = fields.dport;
    return packet;
}

using Generator = std::vector<GeneratedRule> (*)(Family, std::size_t, std::uint64_t);

class BenchRules : public ::testing::TestWithParam<std::pair<Generator, Family>> {
protected:
    static std::vector<GeneratedRule> rules(std::size_t count, std::uint64_t seed = 7) {
        return GetParam().first(GetParam().second, count, seed);
    }
};

TEST_P(BenchRules, EachMatchesThePacketThatComesWithIt) {
    for (const GeneratedRule& generated : rules(2000)) {
        std::vector<text::Warning> warnings;
        const auto rule = text::parse_rule(generated.text, warnings);
        ASSERT_TRUE(rule) << generated.text << ": " << rule.error().message;
        const test::Packet packet = packet_of(generated.match);
        for (const model::Match& match : rule->matches) {
            EXPECT_TRUE(test::matches(match, packet, {})) << generated.text;
        }
        EXPECT_EQ(rule->verdict, model::Verdict::kDrop);
    }
}

TEST_P(BenchRules, TheSameSeedGivesTheSameRules) {
    const auto once = rules(100), again = rules(100), others = rules(100, 8);
    std::size_t equal = 0;
    for (std::size_t i = 0; i < once.size(); i++) {
        EXPECT_EQ(once[i].text, again[i].text);
        equal += once[i].text == others[i].text ? 1 : 0;
    }
    EXPECT_LT(equal, 5U);
}

INSTANTIATE_TEST_SUITE_P(Kinds, BenchRules,
                         ::testing::Values(std::pair{&realistic_rules, Family::kIpv4},
                                           std::pair{&realistic_rules, Family::kIpv6},
                                           std::pair{&adversarial_rules, Family::kIpv4},
                                           std::pair{&adversarial_rules, Family::kIpv6}));

} // namespace
} // namespace weir::bench
