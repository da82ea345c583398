#include "kernel/capture.h"

#include <bpf/bpf.h>
#include <linux/pkt_cls.h>

#include "prog/packets.h"

namespace weir::test {
namespace {

// A record that outlives the ring.
struct Seen {
    capture_record record;
    Octets entry, exit;
};

class Captured : public Packets {
protected:
    static kernel::Capture start(const kernel::CaptureWish& wish = {}) {
        return must(kernel::Capture::open(weir().node(), wish));
    }
    // All that is there; nothing comes later, for test runs are over when they return.
    static std::vector<Seen> taken(kernel::Capture& capture) {
        std::vector<Seen> all;
        const auto each = [&](const kernel::CapturedPacket& packet) {
            all.push_back({packet.record,
                           {packet.entry.begin(), packet.entry.end()},
                           {packet.exit.begin(), packet.exit.end()}});
        };
        while (must(capture.poll(0, each)) > 0) {
        }
        return all;
    }
    static __u32 control_word() {
        const __u32 only = 0;
        struct control word {};
        EXPECT_EQ(bpf_map_lookup_elem(weir().node().map(maps::control.name), &only, &word), 0);
        return word.live;
    }
    static void expire() {
        const __u32 only = 0;
        capture_settings settings{};
        const int map = weir().node().map(maps::capture_settings.name);
        ASSERT_EQ(bpf_map_lookup_elem(map, &only, &settings), 0);
        settings.until = 1;
        ASSERT_EQ(bpf_map_update_elem(map, &only, &settings, BPF_ANY), 0);
    }
    static model::Slot slot_of_rule(std::size_t index) {
        return weir().config().chain(model::ChainName::kIngress).rules.at(index).slot;
    }
};

constexpr const char* kTwoRules =
    "firewall: {ingress: {policy: accept, rules: [tcp dport 22 drop, tcp dport 80 accept]}}";

TEST_F(Captured, PacketThatARuleDropsIsSeenWithRuleAndReason) {
    apply(kTwoRules);
    const Octets ssh = frame(Ipv4{}, Tcp{.dport = 22});
    auto capture = start();
    EXPECT_EQ(xdp(ssh), drop(REASON_RULE));

    const auto seen = taken(capture);
    ASSERT_EQ(seen.size(), 1U);
    EXPECT_EQ(seen[0].entry, ssh);
    EXPECT_EQ(seen[0].exit, ssh);
    EXPECT_EQ(seen[0].record.verdict, VERDICT_DROP);
    EXPECT_EQ(seen[0].record.reason, REASON_RULE);
    EXPECT_EQ(seen[0].record.rule, slot_of_rule(0));
    EXPECT_EQ(seen[0].record.action, static_cast<__u32>(XDP_DROP));
    EXPECT_EQ(seen[0].record.hook, HOOK_XDP);
    EXPECT_EQ(seen[0].record.entry_len, ssh.size());
    EXPECT_LE(seen[0].record.entered, seen[0].record.left);
    EXPECT_EQ(rule(0).packets, 1U); // as without a capture; TearDown() looks at the books
}

TEST_F(Captured, PolicyAndBrokenHeadersHaveNoRule) {
    apply("firewall: {ingress: {policy: drop, rules: [tcp dport 80 accept]}}");
    Octets cut = frame(Ipv4{}, Tcp{.dport = 80});
    cut.resize(30);
    auto capture = start();
    EXPECT_EQ(xdp(frame(Ipv4{}, Tcp{.dport = 81})), drop(REASON_POLICY));
    EXPECT_EQ(xdp(cut), drop(REASON_TRUNCATED));
    EXPECT_EQ(xdp(frame(Ipv4{}, Tcp{.dport = 80})), pass());

    const auto seen = taken(capture);
    ASSERT_EQ(seen.size(), 3U);
    EXPECT_EQ(seen[0].record.reason, REASON_POLICY);
    EXPECT_EQ(seen[0].record.rule, CAPTURE_NO_RULE);
    EXPECT_EQ(seen[1].record.reason, REASON_TRUNCATED);
    EXPECT_EQ(seen[1].record.rule, CAPTURE_NO_RULE);
    EXPECT_EQ(seen[1].entry, cut);
    EXPECT_EQ(seen[2].record.verdict, VERDICT_PASS);
    EXPECT_EQ(seen[2].record.rule, slot_of_rule(0));
    EXPECT_LT(seen[0].record.id, seen[1].record.id);
}

// So that whoever polls comes to renew the deadline, to look at the clock and to end.
TEST_F(Captured, ARoundEndsThoughMoreIsThere) {
    apply(kTwoRules);
    const Octets packet = frame(Ipv4{}, Tcp{.dport = 22});
    auto capture = start({.snap = 64});
    for (int i = 0; i < 2500; i++) {
        xdp(packet);
    }
    std::vector<std::size_t> rounds;
    std::size_t given = 0;
    do {
        rounds.push_back(must(capture.poll(0, [&](const kernel::CapturedPacket&) { given++; })));
    } while (rounds.back() > 0);

    EXPECT_EQ(rounds, (std::vector<std::size_t>{1024, 1024, 452, 0}));
    EXPECT_EQ(given, 2500U);
}

TEST_F(Captured, NothingIsSeenWhileTheSwitchIsOff) {
    apply(kTwoRules);
    auto capture = start();
    must(capture.stop());
    EXPECT_EQ(xdp(frame(Ipv4{}, Tcp{.dport = 22})), drop(REASON_RULE));
    EXPECT_EQ(taken(capture).size(), 0U);
    EXPECT_EQ(must(capture.books()).taken, 0U);
    EXPECT_EQ(must(capture.books()).lost, 0U);
}

TEST_F(Captured, VerdictRuleAndHookChoose) {
    apply(kTwoRules);
    const auto run = [&] {
        xdp(frame(Ipv4{}, Tcp{.dport = 22}));
        xdp(frame(Ipv4{}, Tcp{.dport = 80}));
        xdp(frame(Ipv4{}, Udp{}));
        tc_egress(frame(Ipv4{}, Udp{}));
    };
    const auto count = [&](const kernel::CaptureWish& wish) {
        auto capture = start(wish);
        run();
        return taken(capture).size();
    };
    EXPECT_EQ(count({}), 3U);
    EXPECT_EQ(count({.verdicts = 1U << VERDICT_DROP}), 1U);
    EXPECT_EQ(count({.verdicts = 1U << VERDICT_PASS}), 2U);
    EXPECT_EQ(count({.rule = slot_of_rule(1)}), 1U);
    EXPECT_EQ(count({.verdicts = 1U << VERDICT_DROP, .rule = slot_of_rule(1)}), 0U);
    EXPECT_EQ(count({.hooks = 1U << HOOK_TC_EGRESS}), 1U);
    EXPECT_EQ(count({.ifindex = 99999}), 0U);
}

TEST_F(Captured, EntryAloneExitAloneAndTheSnapLength) {
    apply(kTwoRules);
    const Octets packet = frame(Ipv4{}, Udp{}, payload(1000));
    for (const __u32 points : {CAPTURE_ENTRY, CAPTURE_EXIT}) {
        auto capture = start({.points = points, .snap = 60});
        EXPECT_EQ(xdp(packet), pass());
        const auto seen = taken(capture);
        ASSERT_EQ(seen.size(), 1U);
        const Octets head(packet.begin(), packet.begin() + 60);
        EXPECT_EQ(seen[0].entry, points == CAPTURE_ENTRY ? head : Octets{});
        EXPECT_EQ(seen[0].exit, points == CAPTURE_EXIT ? head : Octets{});
        EXPECT_EQ(seen[0].record.entry_len, packet.size());
        EXPECT_EQ(seen[0].record.exit_len, packet.size());
    }
}

TEST_F(Captured, JumboFrameInManyBuffersIsWhole) {
    apply(kTwoRules);
    const Octets packet = frame(Ipv4{}, Udp{}, payload(8900));
    auto capture = start();
    EXPECT_EQ(xdp(packet, {.linear = 2000}), pass());
    const auto seen = taken(capture);
    ASSERT_EQ(seen.size(), 1U);
    EXPECT_EQ(seen[0].entry, packet);
    EXPECT_EQ(seen[0].exit, packet);
}

TEST_F(Captured, AnsweredEchoLeavesAsItWasRewritten) {
    apply("lb: {services: [{vip: '203.0.113.10:80/tcp', backends: [10.0.2.2]}]}");
    const Octets ping = frame(Ipv4{.dst = "203.0.113.10"}, Icmp{.type = 8});
    auto capture = start();
    EXPECT_EQ(xdp(ping), sent());
    const auto seen = taken(capture);
    ASSERT_EQ(seen.size(), 1U);
    EXPECT_EQ(seen[0].entry, ping);
    EXPECT_EQ(seen[0].exit, output());
    EXPECT_NE(seen[0].entry, seen[0].exit);
    EXPECT_EQ(seen[0].record.reason, REASON_ECHO);
    EXPECT_EQ(seen[0].record.action, static_cast<__u32>(XDP_TX));
}

// At rest the ring decides; a SYN begins a flow.
TEST_F(Captured, BalancedPacketSaysWhichBackendAndWhoChoseIt) {
    apply("lb: {source: 10.99.0.1, services: [{vip: '203.0.113.10:80/tcp', backends: [10.0.2.2]}, "
          "{vip: '203.0.113.10:81/tcp', backends: [{address: 10.0.2.3, weight: 0}]}]}");
    const auto& services = weir().config().balancer.services;
    const Ipv4 to{.dst = "203.0.113.10"};
    auto capture = start();
    xdp(frame(to, Tcp{.sport = 4000, .dport = 80, .flags = kSyn}));
    xdp(frame(to, Tcp{.sport = 4000, .dport = 80, .flags = kAck}));
    xdp(frame(to, Tcp{.sport = 4000, .dport = 80, .flags = kAck}));
    EXPECT_EQ(xdp(frame(to, Tcp{.dport = 81})), drop(REASON_NO_BACKEND));
    EXPECT_EQ(xdp(frame(to, Tcp{.dport = 82})), pass());

    const auto seen = taken(capture);
    ASSERT_EQ(seen.size(), 5U);
    for (std::size_t i = 0; i < 3; i++) {
        EXPECT_EQ(seen[i].record.service, services[0].slot);
        EXPECT_EQ(seen[i].record.backend, services[0].backends[0].slot);
        EXPECT_EQ(seen[i].record.by_ring, 1) << "at rest";
        EXPECT_EQ(seen[i].record.new_flow, i == 0);
    }
    EXPECT_EQ(seen[3].record.service, services[1].slot);
    EXPECT_EQ(seen[3].record.backend, CAPTURE_NO_SERVICE);
    EXPECT_EQ(seen[4].record.service, CAPTURE_NO_SERVICE);
}

TEST_F(Captured, TcProgramsHaveTheSwitchToo) {
    apply("firewall: {egress: {rules: [udp dport 9 drop]}}");
    const Octets packet = frame(Ipv4{}, Udp{.dport = 9});
    auto capture = start({.hooks = 1U << HOOK_TC_EGRESS | 1U << HOOK_TC_INGRESS});
    EXPECT_EQ(tc_egress(packet), drop(REASON_RULE));
    EXPECT_EQ(tc_ingress(packet), pass());
    const auto seen = taken(capture);
    ASSERT_EQ(seen.size(), 2U);
    EXPECT_EQ(seen[0].record.hook, HOOK_TC_EGRESS);
    EXPECT_EQ(seen[0].record.action, static_cast<__u32>(TC_ACT_SHOT));
    EXPECT_EQ(seen[0].entry, packet);
    EXPECT_EQ(seen[1].record.hook, HOOK_TC_INGRESS);
    EXPECT_EQ(static_cast<int>(seen[1].record.action), TC_ACT_UNSPEC);
}

TEST_F(Captured, WithoutAGenerationPacketsPassAndAreSeen) {
    weir().forget_generation();
    auto capture = start();
    EXPECT_EQ(xdp(frame(Ipv4{}, Tcp{})), pass());
    const auto seen = taken(capture);
    ASSERT_EQ(seen.size(), 1U);
    EXPECT_EQ(seen[0].record.reason, REASON_NO_GENERATION);
    EXPECT_EQ(seen[0].record.generation, 0U);
}

TEST_F(Captured, ANewConfigurationKeepsTheSwitch) {
    apply(kTwoRules);
    auto capture = start();
    apply("firewall: {ingress: {rules: [udp dport 9 drop]}}");
    EXPECT_EQ(xdp(frame(Ipv4{}, Udp{.dport = 9})), drop(REASON_RULE));
    must(weir().node().rollback({}, must(weir().node().generations()).at(1).state));
    EXPECT_EQ(xdp(frame(Ipv4{}, Tcp{.dport = 22})), drop(REASON_RULE));
    const auto seen = taken(capture);
    ASSERT_EQ(seen.size(), 2U);
    EXPECT_EQ(seen[0].record.generation, seen[1].record.generation + 1);
}

TEST_F(Captured, ASwitchThatNobodyRenewsGoesOffWithTheNextPacket) {
    apply(kTwoRules);
    auto capture = start();
    expire();
    EXPECT_NE(control_word() & CAPTURE_ON, 0U);
    EXPECT_EQ(xdp(frame(Ipv4{}, Tcp{.dport = 22})), drop(REASON_RULE)); // judged all the same
    EXPECT_EQ(control_word() & CAPTURE_ON, 0U);
    EXPECT_EQ(taken(capture).size(), 0U); // and is renewed
    EXPECT_EQ(must(capture.books()).lapses, 1U);
    EXPECT_NE(control_word() & CAPTURE_ON, 0U);
    EXPECT_EQ(xdp(frame(Ipv4{}, Tcp{.dport = 22})), drop(REASON_RULE));
    EXPECT_EQ(taken(capture).size(), 1U);
}

TEST_F(Captured, ASecondCaptureIsRefused) {
    const auto first = start();
    const auto second = kernel::Capture::open(weir().node(), {});
    ASSERT_FALSE(second.has_value());
    EXPECT_EQ(second.error().message(),
              "another capture of this Weir is running: end it first (one at a time)");
}

TEST_F(Captured, WhatTheRingCannotTakeIsCounted) {
    apply(kTwoRules);
    const Octets packet = frame(Ipv4{}, Udp{}, payload(1000));
    auto capture = start({.ring_octets = 4096});
    for (int i = 0; i < 10; i++) {
        EXPECT_EQ(xdp(packet), pass());
    }
    const std::size_t seen = taken(capture).size();
    const auto books = must(capture.books());
    EXPECT_EQ(seen, 1U); // two of 2,188 octets do not fit
    EXPECT_EQ(books.taken, seen);
    EXPECT_EQ(books.lost, 10U - seen);
}

TEST_F(Captured, ImpossibleWishesAreRefused) {
    EXPECT_FALSE(kernel::Capture::open(weir().node(), {.snap = 0}).has_value());
    EXPECT_FALSE(kernel::Capture::open(weir().node(), {.snap = CAPTURE_SNAP + 1}).has_value());
    EXPECT_FALSE(kernel::Capture::open(weir().node(), {.ring_octets = 5000}).has_value());
}

} // namespace
} // namespace weir::test
