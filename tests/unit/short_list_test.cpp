#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <arpa/inet.h>

#include "compile/short_list.h"
#include "rule_dice.h"

namespace weir::compile {
namespace {

using namespace weir::test;

// Both addresses as a header has them.
std::array<std::uint64_t, 4> on_the_wire(const packet& p, bool ipv4) {
    std::vector<std::uint32_t> words;
    for (const auto& [hi, lo] :
         {std::pair{p.saddr_hi, p.saddr_lo}, std::pair{p.daddr_hi, p.daddr_lo}}) {
        if (!ipv4) {
            words.insert(words.end(), {htonl(static_cast<std::uint32_t>(hi >> 32)),
                                       htonl(static_cast<std::uint32_t>(hi)),
                                       htonl(static_cast<std::uint32_t>(lo >> 32))});
        }
        words.push_back(htonl(static_cast<std::uint32_t>(lo)));
    }
    std::array<std::uint64_t, 4> all{};
    std::memcpy(all.data(), words.data(), words.size() * sizeof(std::uint32_t));
    return all;
}

bool agrees(std::uint64_t word, std::uint64_t value, std::uint64_t mask) {
    return (word & mask) == value;
}

// As maps/short_list.h describes it.
Walk search(const Firewall& firewall, std::uint32_t list, const packet& p) {
    const auto addrs = on_the_wire(p, p.kind < KIND_IPV6_TCP);
    const std::uint64_t rest = fw_rest(htonl(std::uint32_t{p.sport} << 16 | p.dport), p.tcp_flags);
    Walk walk{(list & FW_LIST_DROPS) == 0, FW_NO_SLOT, {}, 0};
    for (std::uint32_t i = 0; i < (list >> 8 & 0xff); i++) {
        const fw_record& r = firewall.records.at((list & 0xff) + i);
        walk.steps++;
        bool all = agrees(rest, r.rest, r.rest_mask);
        for (std::size_t word = 0; word < addrs.size(); word++) {
            all = all && agrees(addrs.at(word), r.addrs[word], r.addrs_mask[word]);
        }
        if (!all) {
            continue;
        }
        if (r.answer == 0) {
            walk.counted.push_back(r.slot);
            continue;
        }
        walk.accepted = r.answer == FW_ACCEPTED;
        walk.slot = r.slot;
        return walk;
    }
    return walk;
}

constexpr packet_kind kCommon[] = {KIND_IPV4_TCP, KIND_IPV4_UDP, KIND_IPV6_TCP, KIND_IPV6_UDP};

TEST(ShortLists, DecideAsTheRulesAreWritten) {
    std::size_t lists = 0, by_rule = 0, none = 0;
    for (std::uint32_t seed = 1; seed <= 3000; seed++) {
        Dice dice(seed, {Field::kIpSaddr, Field::kIpDaddr, Field::kIp6Saddr, Field::kIp6Daddr,
                         Field::kTcpSport, Field::kTcpDport, Field::kUdpSport, Field::kUdpDport,
                         Field::kTcpFlags, Field::kIpProtocol});
        const model::Config config = dice.config();
        const auto firewall = compile_firewall(config, {});
        ASSERT_TRUE(firewall) << firewall.error().message();
        ASSERT_LE(firewall->records.size(), std::size_t{FW_RECORDS});
        for (int i = 0; i < 60; i++) {
            const Packet p = dice.packet();
            const facts f = facts_of(p, config);
            if (std::find(std::begin(kCommon), std::end(kCommon), f.packet.kind) ==
                std::end(kCommon)) {
                EXPECT_EQ(firewall->ingress_lists.at(f.packet.kind), 0U)
                    << "no packet would read it";
                continue;
            }
            for (const auto& [list, chain] :
                 {std::pair{firewall->ingress_lists.at(f.packet.kind), &config.ingress},
                  std::pair{firewall->egress_lists.at(f.packet.kind), &config.egress}}) {
                none += list == 0;
                if (list == 0) {
                    continue;
                }
                lists++;
                const Walk found = search(*firewall, list, f.packet);
                ASSERT_EQ(found, decide(*chain, p, config)) << "seed " << seed;
                by_rule += found.slot != FW_NO_SLOT;
            }
        }
    }
    EXPECT_GT(lists, 10000U);
    EXPECT_GT(by_rule, 3000U);
    EXPECT_GT(none, 1000U);
}

Firewall compiled(std::vector<Rule> rules) {
    model::Config config;
    config.ingress.rules = std::move(rules);
    auto firewall = compile_firewall(config, {});
    EXPECT_TRUE(firewall);
    return *std::move(firewall);
}

Rule to_port(std::uint64_t port) {
    return rule({any_of(Field::kTcpDport, {single(port)})}, Verdict::kDrop,
                static_cast<model::Slot>(port));
}

TEST(ShortLists, OneRuleIsOneRecord) {
    const Firewall firewall = compiled({to_port(23)});

    ASSERT_EQ(firewall.records.size(), 2U) << "of IPv4 and of IPv6";
    EXPECT_EQ(firewall.ingress_lists[KIND_IPV4_TCP], FW_LIST(0U, 1U));
    EXPECT_EQ(firewall.ingress_lists[KIND_IPV4_UDP], 0U) << "the policy decides";
    EXPECT_EQ(firewall.ingress_lists[KIND_IPV6_TCP], FW_LIST(1U, 1U));
    const fw_record& record = firewall.records[0];
    EXPECT_EQ(record.rest, fw_rest(htonl(23), 0));
    EXPECT_EQ(record.rest_mask, fw_rest(htonl(0xffff), 0)) << "the destination port";
    EXPECT_THAT(record.addrs_mask, testing::Each(0U));
    EXPECT_EQ(record.answer, FW_DROPPED);
    EXPECT_EQ(record.slot, 23U);
}

TEST(ShortLists, RangesOfPortsAreBlocks) {
    const Match unprivileged = any_of(Field::kTcpSport, {{{0, 1024}, {0, 65535}}});
    const Firewall firewall = compiled({rule({unprivileged}, Verdict::kDrop, 1)});

    EXPECT_EQ(firewall.ingress_lists[KIND_IPV4_TCP], FW_LIST(0U, 6U));
    EXPECT_EQ(firewall.records[0].rest, fw_rest(htonl(1024U << 16), 0));
    EXPECT_EQ(firewall.records[0].rest_mask, fw_rest(htonl(0xfc00U << 16), 0));
    EXPECT_EQ(firewall.records[5].rest_mask, fw_rest(htonl(0x8000U << 16), 0));
}

TEST(ShortLists, WhatTheFastLaneDoesNotReadIsLeftToTheGraph) {
    for (const Match& match :
         {any_of(Field::kEtherSaddr, {single(5)}), any_of(Field::kVlanId, {single(5)})}) {
        const Firewall firewall = compiled({to_port(23), rule({match}, Verdict::kDrop, 1)});
        EXPECT_THAT(firewall.ingress_lists, testing::Each(0U));
        EXPECT_TRUE(firewall.records.empty());
    }
    for (const Match& match :
         {any_of(Field::kIpDscp, {single(5)}), any_of(Field::kIpFragOff, {single(5)})}) {
        const Firewall firewall = compiled({to_port(23), rule({match}, Verdict::kDrop, 1)});
        EXPECT_EQ(firewall.ingress_lists[KIND_IPV4_TCP], 0U);
        EXPECT_EQ(firewall.ingress_lists[KIND_IPV6_TCP], FW_LIST(0U, 1U)) << "it is of IPv4";
    }
}

TEST(ShortLists, ThirtyTwoRecordsAreAListAndOneMoreIsNot) {
    std::vector<Rule> rules;
    for (std::uint64_t port = 1; port <= FW_LIST_MAX; port++) {
        rules.push_back(to_port(port));
    }
    EXPECT_EQ(compiled(rules).ingress_lists[KIND_IPV4_TCP],
              FW_LIST(0U, std::uint32_t{FW_LIST_MAX}));

    rules.push_back(to_port(1000));
    EXPECT_EQ(compiled(rules).ingress_lists[KIND_IPV4_TCP], 0U);
}

// Both chains, TCP and UDP, both families: more records than a generation has.
TEST(ShortLists, ListsThatFindNoRoomAreLeftToTheGraph) {
    model::Config config;
    for (model::Chain* chain : {&config.ingress, &config.egress}) {
        for (std::uint64_t port = 1; port <= FW_LIST_MAX; port++) {
            chain->rules.push_back(to_port(port));
            chain->rules.push_back(
                rule({any_of(Field::kUdpDport, {single(port)})}, Verdict::kDrop, 1));
        }
    }

    const auto firewall = compile_firewall(config, {});

    ASSERT_TRUE(firewall);
    EXPECT_EQ(firewall->records.size(), std::size_t{FW_RECORDS});
    std::size_t lists = 0;
    for (const packet_kind kind : kCommon) {
        lists += (firewall->ingress_lists.at(kind) != 0) + (firewall->egress_lists.at(kind) != 0);
    }
    EXPECT_EQ(lists, std::size_t{FW_RECORDS / FW_LIST_MAX});
}

} // namespace
} // namespace weir::compile
