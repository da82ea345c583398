#include <algorithm>
#include <gtest/gtest.h>

#include "rule_dice.h"

namespace weir::compile {
namespace {

using namespace weir::test;

TEST(FirewallAgreement, GraphDecidesAsTheRulesAreWritten) {
    std::size_t graphs = 0, by_rule = 0;
    for (std::uint32_t seed = 1; seed <= 1000; seed++) {
        Dice dice(seed);
        const model::Config config = dice.config();
        std::vector<Packet> packets(150);
        std::generate(packets.begin(), packets.end(), [&] { return dice.packet(); });

        // Once as it comes, then in every coarser form that a lower limit brings about.
        auto firewall = compile_firewall(config, {});
        ASSERT_TRUE(firewall) << firewall.error().message();
        while (firewall) {
            graphs++;
            expect_sound(*firewall);
            for (const Packet& p : packets) {
                const facts f = facts_of(p, config);
                const Walk in = decide(config.ingress, p, config);
                ASSERT_EQ(walk(firewall->nodes, firewall->ingress, f), in) << "seed " << seed;
                ASSERT_EQ(walk(firewall->nodes, firewall->egress, f),
                          decide(config.egress, p, config))
                    << "seed " << seed;
                by_rule += in.slot != FW_NO_SLOT;
            }
            const auto fewer = static_cast<std::uint32_t>(firewall->nodes.size() - 1);
            firewall = compile_firewall(config, {.nodes = fewer});
        }
    }
    // The dice are worth something: several forms a configuration, and rules that match.
    EXPECT_GT(graphs, 1400U);
    EXPECT_GT(by_rule, 100000U);
}

} // namespace
} // namespace weir::compile
