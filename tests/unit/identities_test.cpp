#include <algorithm>
#include <chrono>
#include <gtest/gtest.h>
#include <set>

#include "in_words.h"
#include "model/config.h"
#include "text/rule_text.h"

namespace weir::model {
namespace {

using test::rule;
using test::service;

std::vector<Rule> rules(const std::vector<int>& ports) {
    std::vector<Rule> all;
    for (const int port : ports) {
        all.push_back(rule("tcp dport " + std::to_string(port) + " drop"));
    }
    return all;
}

std::vector<Handle> handles(const std::vector<Rule>& rules) {
    std::vector<Handle> all;
    for (const Rule& rule : rules) {
        all.push_back(rule.handle);
    }
    return all;
}

std::vector<Slot> slots(const std::vector<Rule>& rules) {
    std::vector<Slot> all;
    for (const Rule& rule : rules) {
        all.push_back(rule.slot);
    }
    return all;
}

// Assigns, expecting success.
FreshSlots assign(Config& wanted, const Config& live, Identities& ids,
                  const std::vector<const Config*>& kept = {}, const Limits& limits = {}) {
    auto fresh = assign_identities(wanted, live, kept, limits, ids);
    if (!fresh) {
        ADD_FAILURE() << fresh.error().message();
        return {};
    }
    return *fresh;
}

using Handles = std::vector<Handle>;
using SlotList = std::vector<Slot>;

TEST(Identities, HandlesAreUniqueAcrossKinds) {
    Config wanted;
    wanted.ingress.rules = rules({1, 2});
    wanted.egress.rules = rules({1});
    wanted.balancer.services = {service("192.0.2.1:80/tcp", {"10.0.0.1", "10.0.0.2"}),
                                service("192.0.2.2:80/tcp", {"10.0.0.1"})};
    Identities ids;

    const FreshSlots fresh = assign(wanted, {}, ids);

    EXPECT_EQ(handles(wanted.ingress.rules), (Handles{1, 2}));
    EXPECT_EQ(handles(wanted.egress.rules), (Handles{3}));
    EXPECT_EQ(wanted.balancer.services[0].handle, 4U);
    EXPECT_EQ(wanted.balancer.services[0].backends[0].handle, 5U);
    EXPECT_EQ(wanted.balancer.services[0].backends[1].handle, 6U);
    EXPECT_EQ(wanted.balancer.services[1].handle, 7U);
    EXPECT_EQ(wanted.balancer.services[1].backends[0].handle, 8U);
    EXPECT_EQ(ids.next_handle, 9U);
    EXPECT_EQ(slots(wanted.ingress.rules), (SlotList{0, 1}));
    EXPECT_EQ(slots(wanted.egress.rules), (SlotList{2}));
    EXPECT_EQ(wanted.balancer.services[1].slot, 1U);
    EXPECT_EQ(wanted.balancer.services[1].backends[0].slot, 2U);
    EXPECT_EQ(fresh.rules, (SlotList{0, 1, 2}));
    EXPECT_EQ(fresh.services, (SlotList{0, 1}));
    EXPECT_EQ(fresh.backends, (SlotList{0, 1, 2}));
}

TEST(Identities, TheSameAgainChangesNothing) {
    Config live;
    live.ingress.rules = rules({1, 2, 3});
    live.balancer.services = {service("192.0.2.1:80/tcp", {"10.0.0.1"})};
    Identities ids;
    assign(live, {}, ids);
    Config wanted;
    wanted.ingress.rules = rules({1, 2, 3});
    wanted.balancer.services = {service("192.0.2.1:80/tcp", {"10.0.0.1"})};
    const Handle next = ids.next_handle;

    const FreshSlots fresh = assign(wanted, live, ids);

    EXPECT_EQ(handles(wanted.ingress.rules), handles(live.ingress.rules));
    EXPECT_EQ(slots(wanted.ingress.rules), slots(live.ingress.rules));
    EXPECT_EQ(wanted.balancer.services[0].backends[0].handle,
              live.balancer.services[0].backends[0].handle);
    EXPECT_EQ(ids.next_handle, next);
    EXPECT_TRUE(fresh.rules.empty() && fresh.services.empty() && fresh.backends.empty());
}

TEST(Identities, AnInsertedRuleLeavesTheOthersAlone) {
    Config live;
    live.ingress.rules = rules({1, 2, 3});
    Identities ids;
    assign(live, {}, ids);
    Config wanted;
    wanted.ingress.rules = rules({1, 9, 2, 3});

    const FreshSlots fresh = assign(wanted, live, ids);

    EXPECT_EQ(handles(wanted.ingress.rules), (Handles{1, 4, 2, 3}));
    EXPECT_EQ(slots(wanted.ingress.rules), (SlotList{0, 3, 1, 2}));
    EXPECT_EQ(fresh.rules, (SlotList{3}));
}

TEST(Identities, MovedRulesKeepTheirHandles) {
    Config live;
    live.ingress.rules = rules({1, 2, 3, 4});
    Identities ids;
    assign(live, {}, ids);
    Config wanted;
    wanted.ingress.rules = rules({4, 2, 1, 3});

    assign(wanted, live, ids);

    EXPECT_EQ(handles(wanted.ingress.rules), (Handles{4, 2, 1, 3}));
}

TEST(Identities, RepeatedRulesMatchInOrder) {
    Config live;
    live.ingress.rules = rules({1, 2, 1});
    Identities ids;
    assign(live, {}, ids);
    Config wanted;
    wanted.ingress.rules = rules({2, 1});
    assign(wanted, live, ids);
    EXPECT_EQ(handles(wanted.ingress.rules), (Handles{2, 3}));

    Config more;
    more.ingress.rules = rules({1, 1, 2, 1});
    assign(more, live, ids);
    EXPECT_EQ(handles(more.ingress.rules), (Handles{1, 4, 2, 3}));
}

TEST(Identities, ARuleThatBringsItsHandleKeepsIt) {
    Config live;
    live.ingress.rules = rules({1, 1, 2});
    Identities ids;
    assign(live, {}, ids);
    Config wanted = live;
    wanted.ingress.rules.erase(wanted.ingress.rules.begin());

    assign(wanted, live, ids);

    EXPECT_EQ(handles(wanted.ingress.rules), (Handles{2, 3}));
    EXPECT_EQ(slots(wanted.ingress.rules), (SlotList{1, 2}));
}

TEST(Identities, AReplacedRuleKeepsItsHandleAndCountsAnew) {
    Config live;
    live.ingress.rules = rules({1, 2});
    Identities ids;
    assign(live, {}, ids);
    Config wanted = live;
    wanted.ingress.rules[0] = rule("tcp dport 9 drop");
    wanted.ingress.rules[0].handle = 1;

    const FreshSlots fresh = assign(wanted, live, ids);

    EXPECT_EQ(handles(wanted.ingress.rules), (Handles{1, 2}));
    EXPECT_EQ(slots(wanted.ingress.rules), (SlotList{2, 1}));
    EXPECT_EQ(fresh.rules, (SlotList{2}));
}

TEST(Identities, ACopyOfARuleIsAnotherRule) {
    Config live;
    live.ingress.rules = rules({1});
    Identities ids;
    assign(live, {}, ids);
    Config wanted = live;
    wanted.ingress.rules.push_back(live.ingress.rules[0]);
    wanted.egress.rules.push_back(live.ingress.rules[0]);

    assign(wanted, live, ids);

    EXPECT_EQ(handles(wanted.ingress.rules), (Handles{1, 2}));
    EXPECT_EQ(handles(wanted.egress.rules), (Handles{3}));
}

TEST(Identities, AChangedCommentOrCounterIsAnotherRule) {
    Config live;
    live.ingress.rules = {rule("tcp dport 1 drop"), rule("tcp dport 2 drop")};
    Identities ids;
    assign(live, {}, ids);
    Config wanted;
    wanted.ingress.rules = {rule("tcp dport 1 drop comment \"x\""),
                            rule("tcp dport 2 counter drop")};
    assign(wanted, live, ids);
    EXPECT_EQ(handles(wanted.ingress.rules), (Handles{3, 4}));
}

TEST(Identities, SlotsOfKeptConfigurationsAreLeftAlone) {
    Config kept;
    kept.ingress.rules = rules({1, 2});
    kept.balancer.services = {service("192.0.2.1:80/tcp", {"10.0.0.1"})};
    Identities ids;
    assign(kept, {}, ids);
    Config live;
    live.ingress.rules = rules({2});
    assign(live, kept, ids);

    Config wanted;
    wanted.ingress.rules = rules({2, 3});
    wanted.balancer.services = {service("192.0.2.9:80/tcp", {"10.0.0.1"})};
    const FreshSlots fresh = assign(wanted, live, ids, {&kept, &live});
    EXPECT_EQ(slots(wanted.ingress.rules), (SlotList{1, 2}));
    EXPECT_EQ(fresh.rules, (SlotList{2}));
    EXPECT_EQ(fresh.services, (SlotList{1}));
    EXPECT_EQ(fresh.backends, (SlotList{1}));

    // No longer kept: the lowest free slots are given again.
    Config later;
    later.ingress.rules = rules({2, 4});
    EXPECT_EQ(assign(later, live, ids, {&live}).rules, (SlotList{0}));
}

TEST(Identities, HandlesOfKeptConfigurationsAreNotGivenAgainAfterARollback) {
    Config live;
    live.ingress.rules = rules({1});
    Identities ids;
    assign(live, {}, ids);
    const Identities saved = ids;
    Config undone;
    undone.ingress.rules = rules({1, 2});
    assign(undone, live, ids);
    Config wanted;
    wanted.ingress.rules = rules({1, 3});
    Identities after = saved;

    assign(wanted, live, after, {&undone});

    EXPECT_EQ(handles(undone.ingress.rules), (Handles{1, 2}));
    EXPECT_EQ(handles(wanted.ingress.rules), (Handles{1, 3}));
    EXPECT_EQ(after.next_handle, 4U);
}

TEST(Identities, ServicesByKeyBackendsByAddress) {
    Config live;
    live.balancer.services = {service("192.0.2.1:80/tcp", {"10.0.0.1", "10.0.0.2"}),
                              service("192.0.2.2:80/tcp", {"10.0.0.1"})};
    Identities ids;
    assign(live, {}, ids);
    Config wanted;
    wanted.balancer.services = {service("192.0.2.2:80/tcp", {"10.0.0.2", "10.0.0.1"}),
                                service("192.0.2.1:80/tcp", {"10.0.0.2"})};
    wanted.balancer.services[1].forward = Forward::kL2Dsr;
    wanted.balancer.services[1].backends[0].weight = 9;

    assign(wanted, live, ids);

    const auto& services = wanted.balancer.services;
    EXPECT_EQ(services[0].handle, 4U);
    EXPECT_EQ(services[0].slot, 1U);
    EXPECT_EQ(services[0].backends[0].handle, 6U); // new here, though known elsewhere
    EXPECT_EQ(services[0].backends[0].slot, 3U);
    EXPECT_EQ(services[0].backends[1].handle, 5U);
    EXPECT_EQ(services[1].handle, 1U);
    EXPECT_EQ(services[1].backends[0].handle, 3U);
    EXPECT_EQ(services[1].backends[0].slot, 1U);
}

TEST(Identities, NoSlotLeft) {
    Config live;
    live.ingress.rules = rules({1, 2});
    Identities ids;
    assign(live, {}, ids);
    Config wanted;
    wanted.ingress.rules = rules({3, 4});
    const Identities before = ids;

    const auto fresh = assign_identities(wanted, live, {}, {.rules = 3}, ids);

    ASSERT_FALSE(fresh);
    EXPECT_EQ(fresh.error().message(),
              "no counters are left for new rules: all 3 are used by this and the previous "
              "generation; apply the change in smaller steps, or raise the limit: `weir unload`, "
              "then `weir load --max-rules N`");
    EXPECT_EQ(ids.next_handle, before.next_handle);
}

TEST(Identities, SixteenThousandRulesTakeWellUnderASecond) {
    std::vector<int> ports(16384);
    for (std::size_t i = 0; i < ports.size(); i++) {
        ports[i] = static_cast<int>(i);
    }
    Config live;
    live.ingress.rules = rules(ports);
    Identities ids;
    const Limits limits{.rules = 32768};
    assign(live, {}, ids, {}, limits);
    std::reverse(ports.begin(), ports.end());
    Config wanted;
    wanted.ingress.rules = rules(ports);
    Config equal;
    equal.ingress.rules = rules(std::vector<int>(16384, 7));

    const auto start = std::chrono::steady_clock::now();
    const FreshSlots fresh = assign(wanted, live, ids, {}, limits);
    assign(equal, live, ids, {}, limits);
    const auto taken = std::chrono::steady_clock::now() - start;

    EXPECT_TRUE(fresh.rules.empty());
    EXPECT_EQ(wanted.ingress.rules[0].handle, 16384U);
    const std::vector<Handle> given = handles(equal.ingress.rules);
    EXPECT_EQ(std::set<Handle>(given.begin(), given.end()).size(), 16384U);
    EXPECT_LT(taken, std::chrono::seconds(1));
}

} // namespace
} // namespace weir::model
