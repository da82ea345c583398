#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>

#include "rule_oracle.h"

namespace weir::compile {
namespace {

using namespace weir::test;

Firewall compiled_firewall(const model::Config& config, std::uint32_t nodes = FW_NODES_DEFAULT) {
    auto firewall = compile_firewall(config, {.nodes = nodes});
    EXPECT_TRUE(firewall) << firewall.error().message();
    return firewall ? *std::move(firewall) : Firewall{};
}

TEST(FirewallGraph, WithoutRulesIsThePolicyOfEachChain) {
    model::Config config;
    config.egress.policy = Verdict::kDrop;
    const Firewall f = compiled_firewall(config);

    EXPECT_EQ(f.nodes.size(), 1U); // the sentinel
    EXPECT_THAT(f.ingress, testing::Each(FW_POLICY_ACCEPT));
    EXPECT_THAT(f.egress, testing::Each(FW_POLICY_DROP));
    expect_sound(f);
}

TEST(FirewallGraph, ARuleOfOneProtocolCostsOthersNothing) {
    model::Config config;
    for (std::uint32_t i = 0; i < 1000; i++) {
        config.ingress.rules.push_back(
            rule({one(Field::kUdpDport, i)}, Verdict::kDrop, i)); // udp dport i drop
    }
    config.ingress.rules.push_back(rule({one(Field::kTcpDport, 22)}, Verdict::kDrop, 1000));
    const Firewall f = compiled_firewall(config);

    const Packet ssh{.dport = 22};
    const Walk met = walk(f.nodes, f.ingress, facts_of(ssh, config));
    EXPECT_EQ(met.slot, 1000U);
    EXPECT_EQ(met.steps, 2U); // port 22, verdict
    EXPECT_EQ(f.ingress[KIND_IPV4_ICMP], FW_POLICY_ACCEPT);
    EXPECT_EQ(f.ingress[KIND_NOT_IP], FW_POLICY_ACCEPT);
    // IPv4 and IPv6 ask the same: the lists are made once.
    EXPECT_LT(f.nodes.size(), 2U * 1001 + 16);
}

TEST(FirewallGraph, LongListIsSearchedNotScanned) {
    Match ports = any_of(Field::kTcpDport, {});
    for (std::uint64_t i = 0; i < 1024; i++) {
        ports.values.push_back({{0, 3 * i}, {0, 3 * i + 1}});
    }
    model::Config config;
    config.ingress.rules.push_back(rule({ports}, Verdict::kDrop, 7));
    const Firewall f = compiled_firewall(config);

    for (std::uint64_t port = 0; port < 4096; port++) {
        const Walk met = walk(f.nodes, f.ingress, facts_of(Packet{.dport = port}, config));
        ASSERT_EQ(met.slot == 7, port < 3UL * 1024 && port % 3 != 2) << port;
        ASSERT_LE(met.steps, 8U + 4 + 1); // 1,024 down to 4, those, the verdict
    }
}

TEST(FirewallGraph, RulesBehindOneThatTakesAllAreNotThere) {
    model::Config config;
    config.ingress.rules = {rule({}, std::nullopt, 1), rule({}, Verdict::kDrop, 2),
                            rule({one(Field::kTcpDport, 22)}, Verdict::kAccept, 3)};
    const Firewall f = compiled_firewall(config);

    ASSERT_EQ(f.nodes.size(), 3U); // sentinel, count, drop
    EXPECT_EQ(walk(f.nodes, f.ingress, facts{}), (Walk{false, 2, {1}, 0}));
}

TEST(FirewallGraph, NamesTheSetLookUpsThatRulesNeed) {
    model::Config config;
    config.sets["blocked"] = set("blocked", model::SetType::kIpv4Addr, {});
    config.sets["web"] = set("web", model::SetType::kInetService, {});
    EXPECT_EQ(compiled_firewall(config).rare_facts, 0U);
    config.ingress.rules = {rule({in_set(Field::kIpSaddr, "blocked")}, Verdict::kDrop, 0)};
    config.egress.rules = {rule({in_set(Field::kUdpDport, "web")}, Verdict::kDrop, 1)};
    EXPECT_EQ(compiled_firewall(config).rare_facts, RARE_SADDR_SETS | RARE_DPORT_SETS);
}

TEST(FirewallGraph, RefusesASetThatDoesNotExist) {
    model::Config config;
    config.ingress.rules = {rule({in_set(Field::kIpSaddr, "nobody")}, Verdict::kDrop, 0)};
    const auto f = compile_firewall(config, {});
    ASSERT_FALSE(f);
    EXPECT_EQ(f.error().message(), "set 'nobody' does not exist: create it with `weir set create`");
}

// ip saddr 10.x.x.x tcp dport { … } and the like, as people write them.
TEST(FirewallGraph, AThousandRealisticRulesFitWithRoomToSpare) {
    std::mt19937 random(1);
    model::Config config;
    for (std::uint32_t i = 0; i < 1000; i++) {
        const std::uint64_t net = 0x0a000000 + (random() & 0xffff00);
        const Match source = any_of(Field::kIpSaddr, {{{0, net}, {0, net + 255}}});
        const U128 net6{0x20010db800000000ULL + i, 0};
        const Match source6 = any_of(Field::kIp6Saddr, {{net6, {net6.hi, kMax64}}});
        Match ports = any_of(i % 2 ? Field::kTcpDport : Field::kUdpDport, {});
        for (std::uint64_t p = 0; p < 3; p++) {
            const std::uint64_t port = 2000 * p + random() % 1000;
            ports.values.push_back({{0, port}, {0, port + random() % 10}});
        }
        switch (i % 4) {
        case 0:
            config.ingress.rules.push_back(rule({source, ports}, Verdict::kAccept, i));
            break;
        case 1:
            config.ingress.rules.push_back(rule({source6, ports}, Verdict::kAccept, i));
            break;
        case 2:
            config.ingress.rules.push_back(rule({source}, Verdict::kDrop, i));
            break;
        case 3:
            config.ingress.rules.push_back(rule({ports}, Verdict::kAccept, i));
            break;
        }
    }
    const Firewall f = compiled_firewall(config);
    expect_sound(f);
    EXPECT_LT(f.nodes.size(), FW_NODES_DEFAULT / 8);
}

// 16,384 rules "ip saddr A drop": with lists by protocol they would not fit, so there are fewer
// lists.
TEST(FirewallGraph, ManyRulesGetFewerListsBeforeTheyAreRefused) {
    model::Config config;
    for (std::uint32_t i = 0; i < 16384; i++) {
        std::vector<Match> m{one(Field::kIpSaddr, 0x0a000000 + i)};
        if (i % 3 == 0) {
            m.push_back(one(Field::kTcpDport, 1 + i % 60000));
        }
        config.ingress.rules.push_back(rule(std::move(m), Verdict::kDrop, i));
    }
    const Firewall f = compiled_firewall(config);
    const Packet last{.saddr = {0, 0x0a000000 + 16382}};
    EXPECT_EQ(walk(f.nodes, f.ingress, facts_of(last, config)), (Walk{false, 16382, {}, 0}));
}

TEST(FirewallGraph, WhatDoesNotFitIsRefusedWithTheMend) {
    model::Config config;
    for (std::uint32_t i = 0; i < 1000; i++) { // two nodes each: port, verdict
        config.ingress.rules.push_back(rule({one(Field::kTcpDport, i)}, Verdict::kDrop, i));
    }
    // And the sentinel, and the policy at the list's end.
    EXPECT_EQ(compiled_firewall(config, 2048).nodes.size(), 2000U + 2);
    const auto refused = compile_firewall(config, {.nodes = 1024});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().message(),
              "2002 nodes of compiled rules: the limit is 1024; to raise it: `weir unload`, then "
              "`weir load --max-nodes 2048`");
}

TEST(FirewallGraph, WhatNeverFitsIsRefusedWithAnotherMend) {
    Match hosts = any_of(Field::kIp6Saddr, {});
    for (std::uint64_t i = 0; i < 100000; i++) {
        hosts.values.push_back({{i, 1}, {i, 1}});
    }
    model::Config config;
    config.ingress.rules = {rule({hosts}, Verdict::kDrop, 0)};
    const auto refused = compile_firewall(config, {});
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message().find(
                  " nodes of compiled rules: at most 131072 are possible; move long { } lists into "
                  "named sets, or use fewer rules"),
              std::string::npos)
        << refused.error().message();
}

} // namespace
} // namespace weir::compile
