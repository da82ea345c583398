#include <gtest/gtest.h>

#include "drops/ledger.h"

namespace weir::drops {
namespace {

constexpr std::uint32_t kNear = 2, kOther = 3, kHere = 4026531840, kElsewhere = 4026532246;

const Device kDevice{.name = "near", .index = kNear, .netns = kHere};
const Device kFiltered{.name = "near", .index = kNear, .netns = kHere, .weir_xdp = true};

Drop received(const char* reason, const char* function) {
    return {reason, function, kNear, kNear, kHere};
}
Drop sent(const char* reason, const char* function) {
    return {reason, function, kNear, 0, kHere};
}

const StageRow* find(const Ledger& ledger, Stage stage) {
    for (const StageRow& row : ledger.stages) {
        if (row.stage == stage) {
            return &row;
        }
    }
    return nullptr;
}

std::uint64_t unexplained(const Ledger& ledger, const std::string& counter) {
    for (const Check& each : ledger.checks) {
        if (each.counter == counter) {
            return each.unexplained();
        }
    }
    ADD_FAILURE() << "no check of " << counter;
    return 0;
}

// Of 100 packets a rule takes 11, netfilter 7, nobody listens for 5, a socket is full for 4.
Snapshot busy() {
    Snapshot now;
    now.link.rx_packets = 100;
    hook_count& xdp = now.weir.hooks[HOOK_XDP];
    xdp.received.packets = 100;
    xdp.verdict[VERDICT_PASS].packets = 89;
    xdp.verdict[VERDICT_DROP].packets = 11;
    xdp.dropped[REASON_RULE].packets = 11;
    now.weir.rules = {{false, 3, "udp dport 7 drop", 11}};
    now.losses.packets = {{received("NETFILTER_DROP", "nf_hook_slow"), 7},
                          {received("NO_SOCKET", "__udp4_lib_rcv"), 5},
                          {received("SOCKET_RCVBUFF", "udp_queue_rcv_one_skb"), 4}};
    now.udp = {.no_ports = 5, .full_buffers = 4};
    return now;
}

TEST(DropLedger, EachPacketIsLostAtOneStage) {
    const Ledger ledger = balance({}, busy(), kFiltered);

    EXPECT_EQ(ledger.lost(), 11U + 7 + 5 + 4);
    EXPECT_EQ(ledger.unexplained(), 0U);
    const StageRow* xdp = find(ledger, Stage::kXdp);
    ASSERT_NE(xdp, nullptr);
    EXPECT_EQ(xdp->in, 100U);
    EXPECT_EQ(xdp->on, 89U);
    ASSERT_EQ(xdp->losses.size(), 1U);
    EXPECT_EQ(xdp->losses[0].cause, "rule 3");
    EXPECT_EQ(xdp->losses[0].where, "udp dport 7 drop");
    EXPECT_EQ(find(ledger, Stage::kStack)->in, 89U);
    EXPECT_EQ(find(ledger, Stage::kStack)->on, 77U);
    EXPECT_EQ(find(ledger, Stage::kSocket)->on, 73U); // what somebody got
}

TEST(DropLedger, OnlyWhatCameBetweenCounts) {
    const Ledger ledger = balance(busy(), busy(), kFiltered);

    EXPECT_EQ(ledger.lost(), 0U);
    EXPECT_TRUE(ledger.checks.empty());
}

TEST(DropLedger, ACounterThatWasResetCountsWhatItShows) {
    Snapshot before = busy();
    before.link.rx_missed_errors = 1000;
    Snapshot after = busy();
    after.link.rx_missed_errors = 4;

    EXPECT_EQ(balance(before, after, kFiltered).lost(), 4U);
}

TEST(DropLedger, WhatXdpNeverSawIsUnexplained) {
    Snapshot now = busy();
    now.link.rx_packets = 103;

    const Ledger ledger = balance({}, now, kFiltered);

    EXPECT_EQ(ledger.unexplained(), 3U);
    EXPECT_EQ(unexplained(ledger, "rx_packets, seen by XDP"), 3U);
}

TEST(DropLedger, ADriverThatDoesNotCountWhatXdpTookLosesNothing) {
    Snapshot now = busy();
    now.link.rx_packets = 89;

    const Ledger ledger = balance({}, now, kFiltered);

    EXPECT_EQ(ledger.unexplained(), 0U);
    EXPECT_EQ(find(ledger, Stage::kReceiveDriver)->on, 100U);
}

TEST(DropLedger, WhatADriverFreesForWeirIsToldOnce) {
    Snapshot now = busy();
    now.losses.packets[{"NOT_SPECIFIED", "veth_xdp_rcv_skb", kNear, 0, kHere}] = 11;
    now.driver = {{"rx_queue_0_xdp_drops", 6}, {"rx_queue_1_xdp_drops", 5}, {"tx_xdp_drops", 9}};

    const Ledger ledger = balance({}, now, kFiltered);

    EXPECT_EQ(ledger.lost(), 11U + 7 + 5 + 4);
    EXPECT_EQ(unexplained(ledger, "xdp_drops of the driver"), 0U);
}

TEST(DropLedger, DropsOfAnotherXdpProgramAreItsOwn) {
    Device shared = kFiltered;
    shared.other_xdp_program = true;
    Snapshot now = busy();
    now.driver = {{"rx_xdp_drop", 20}, {"rx0_xdp_drop", 12}, {"rx1_xdp_drop", 8}};

    const Ledger ledger = balance({}, now, shared);

    EXPECT_EQ(find(ledger, Stage::kXdp)->dropped(), 20U);
    EXPECT_EQ(ledger.unexplained(), 0U);
}

TEST(DropLedger, WeirsDropsInTcTakeThePlaceOfTheKernels) {
    Snapshot now;
    now.link.rx_packets = 30;
    hook_count& tc = now.weir.hooks[HOOK_TC_INGRESS];
    tc.received.packets = 30;
    tc.verdict[VERDICT_PASS].packets = 20;
    tc.verdict[VERDICT_DROP].packets = 10;
    tc.dropped[REASON_POLICY].packets = 10;
    now.losses.packets = {{received("TC_INGRESS", "__netif_receive_skb_core"), 12}};

    const StageRow row = *find(balance({}, now, kDevice), Stage::kTcIngress);

    ASSERT_EQ(row.losses.size(), 2U);
    EXPECT_EQ(row.losses[0].cause, "TC_INGRESS"); // of another program
    EXPECT_EQ(row.losses[0].packets, 2U);
    EXPECT_EQ(row.losses[1].cause, "policy");
    EXPECT_EQ(row.losses[1].packets, 10U);
}

TEST(DropLedger, RulesOfSeveralInterfacesAreOneSum) {
    Snapshot now = busy();
    now.weir.rules[0].packets = 50; // 39 of them elsewhere

    const StageRow row = *find(balance({}, now, kFiltered), Stage::kXdp);

    ASSERT_EQ(row.losses.size(), 1U);
    EXPECT_EQ(row.losses[0].cause, "rule");
    EXPECT_EQ(row.losses[0].packets, 11U);
}

TEST(DropLedger, AQueueThatFills) {
    Snapshot before, now;
    before.qdisc = {"tbf", 10, 0, 2};
    now.qdisc = {"tbf", 13, 6, 5};
    now.link.tx_packets = 3;
    now.losses.packets = {{sent("QDISC_DROP", "__dev_queue_xmit"), 4},
                          {sent("NOT_SPECIFIED", "tbf_dequeue"), 1}};
    Device device = kDevice;
    device.qdisc = "tbf";

    const Ledger ledger = balance(before, now, device);

    const StageRow* row = find(ledger, Stage::kQdisc);
    EXPECT_EQ(row->in, 12U); // 3 left, 6 dropped, 3 wait
    EXPECT_EQ(row->on, 3U);
    EXPECT_EQ(row->dropped(), 5U);
    EXPECT_EQ(unexplained(ledger, "drops of qdisc tbf"), 1U);
}

TEST(DropLedger, RedirectedFramesLeaveOrAreLost) {
    Snapshot now;
    now.link.rx_packets = 50;
    hook_count& xdp = now.weir.hooks[HOOK_XDP];
    xdp.received.packets = xdp.verdict[VERDICT_REDIRECT].packets = 50;
    now.losses.redirected = {{{kHere, kNear}, 30}, {{kElsewhere, kNear}, 8}};
    now.losses.frames = {{{kDevmap, "ENXIO", kNear, kOther, kHere}, 12},
                         {{kRedirectError, "ENETDOWN", kNear, kOther, kHere}, 5},
                         {{kDevmap, "not taken", kOther, kNear, kHere}, 2},
                         {{kRedirectError, "EINVAL", kNear, kOther, kElsewhere}, 7}};
    now.link.rx_dropped = 5; // a driver that counts a failed redirect there
    now.link.tx_dropped = 2;

    const Ledger ledger = balance({}, now, kFiltered);

    const StageRow* row = find(ledger, Stage::kRedirect);
    EXPECT_EQ(row->in, 50U);
    EXPECT_EQ(row->dropped(), 17U);
    EXPECT_EQ(unexplained(ledger, "XDP redirected, left"), 3U);
    EXPECT_EQ(unexplained(ledger, "rx_dropped, rx_nohandler"), 0U);
    EXPECT_EQ(unexplained(ledger, "tx_dropped"), 0U); // lost, and told, where they came in
    EXPECT_EQ(ledger.lost(), 17U);
}

TEST(DropLedger, CountersOfMoreThanTheInterfaceDoNotCountForIt) {
    Snapshot now;
    now.softnet = {{0, 100, 3}, {1, 100, 4}};
    now.udp.full_buffers = 9;

    const Ledger ledger = balance({}, now, kDevice);

    EXPECT_EQ(unexplained(ledger, "softnet_stat dropped"), 7U);
    EXPECT_EQ(unexplained(ledger, "UDP RcvbufErrors"), 9U);
    EXPECT_EQ(ledger.softnet.size(), 2U);
    EXPECT_EQ(ledger.unexplained(), 0U);
}

TEST(DropLedger, AVethCountsWhatTheBacklogTook) {
    Snapshot now;
    now.link.rx_packets = 10;
    now.link.rx_dropped = 3;
    now.losses.packets = {{{"CPU_BACKLOG", "enqueue_to_backlog", kNear, 0, kHere}, 3}};
    Device veth = kDevice;
    veth.peer = 7;

    EXPECT_EQ(find(balance({}, now, kDevice), Stage::kBacklog)->on, 7U);
    const Ledger ledger = balance({}, now, veth);
    EXPECT_EQ(find(ledger, Stage::kBacklog)->in, 13U);
    EXPECT_EQ(find(ledger, Stage::kStack)->in, 10U);
    EXPECT_EQ(ledger.unexplained(), 0U);
}

TEST(DropLedger, WhatFindsNoRoomBetweenVethsIsItsSenders) {
    constexpr std::uint32_t kPeer = 7;
    Snapshot now;
    now.losses.packets = {{{"NOT_SPECIFIED", "veth_xmit", kNear, 0, kHere}, 9},
                          {{"NOT_SPECIFIED", "__dev_kfree_skb_any", kPeer, 0, kElsewhere}, 4}};
    Device veth = kDevice;
    veth.peer = kPeer;

    now.link.tx_dropped = 4; // those at the other end
    Ledger ledger = balance({}, now, veth);
    EXPECT_EQ(find(ledger, Stage::kReceiveDriver)->in, 9U);
    EXPECT_EQ(find(ledger, Stage::kReceiveDriver)->on, 0U);
    EXPECT_EQ(find(ledger, Stage::kSendDriver)->dropped(), 4U);
    EXPECT_EQ(ledger.unexplained(), 0U);

    now.link.tx_dropped = 6; // and two that could not be handed over
    ledger = balance({}, now, veth);
    EXPECT_EQ(find(ledger, Stage::kReceiveDriver)->dropped(), 7U);
    EXPECT_EQ(find(ledger, Stage::kSendDriver)->dropped(), 6U);
    EXPECT_EQ(ledger.unexplained(), 0U);
}

TEST(DropLedger, ACopyForAPacketSocketIsNoLoss) {
    Snapshot now;
    now.losses.packets = {{received("PACKET_SOCK_ERROR", "packet_rcv"), 6}};

    const Ledger ledger = balance({}, now, kDevice);

    EXPECT_EQ(ledger.lost(), 0U);
    ASSERT_EQ(ledger.copies.size(), 1U);
    EXPECT_EQ(ledger.copies[0].packets, 6U);
}

TEST(DropStage, OfWhichInterface) {
    EXPECT_EQ(stage_of({"NO_SOCKET", "tcp_v4_rcv", kNear, kNear, kElsewhere}, kDevice),
              Stage::kCount);
    EXPECT_EQ(stage_of({"NO_SOCKET", "tcp_v4_rcv", kOther, kNear, kHere}, kDevice), Stage::kCount);
    // A socket has forgotten the interface, not by which one it came.
    EXPECT_EQ(stage_of({"TCP_OVERWINDOW", "tcp_data_queue", 0, kNear, 0}, kDevice), Stage::kSocket);
    EXPECT_EQ(stage_of({"TCP_OVERWINDOW", "tcp_data_queue", 0, kOther, 0}, kDevice), Stage::kCount);
}

TEST(DropStage, OfWhatIsSent) {
    EXPECT_EQ(stage_of(sent("NEIGH_FAILED", "arp_error_report"), kDevice), Stage::kSendStack);
    EXPECT_EQ(stage_of(sent("TC_EGRESS", "__dev_queue_xmit"), kDevice), Stage::kTcEgress);
    EXPECT_EQ(stage_of(sent("FQ_FLOW_LIMIT", "fq_enqueue"), kDevice), Stage::kQdisc);
    EXPECT_EQ(stage_of(sent("NOT_SPECIFIED", "e1000_xmit_frame"), kDevice), Stage::kSendDriver);
    EXPECT_EQ(stage_of(sent("NETFILTER_DROP", "ip6_xmit"), kDevice), Stage::kSendStack);
    EXPECT_EQ(stage_of(sent("NOT_SPECIFIED", "tun_net_xmit"), kDevice), Stage::kSendDriver);
    // Forwarded from another interface.
    EXPECT_EQ(stage_of({"NETFILTER_DROP", "nf_hook_slow", kNear, kOther, kHere}, kDevice),
              Stage::kSendStack);
}

TEST(DropStage, WhatAVethsOtherEndHadNoRoomFor) {
    Device veth = kDevice;
    veth.peer = 7;
    const Drop at_the_receiver{"NOT_SPECIFIED", "dev_kfree_skb_any_reason", 7, 0, kElsewhere};
    EXPECT_EQ(stage_of(at_the_receiver, veth), Stage::kSendDriver);
    const Drop coming_here{"NOT_SPECIFIED", "dev_kfree_skb_any_reason", kNear, 0, kHere};
    EXPECT_EQ(stage_of(coming_here, veth), Stage::kReceiveDriver);
}

} // namespace
} // namespace weir::drops
