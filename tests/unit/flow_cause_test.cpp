#include <gtest/gtest.h>

#include "flow/cause.h"
#include "flow/timeline.h"
#include "flow_sightings.h"

namespace weir::flow {
namespace {

Packet dropped(const char* reason, const char* function) {
    Sighting last = at(Stage::kDropped, 20, 0xa0);
    last.notes = {{"reason", reason}, {"function", function}};
    return {.sightings = {at(Stage::kReceive, 10, 0xa0), last}, .ended = true};
}

TEST(FlowCause, AReasonOfTheKernelInWordsOfThePacket) {
    EXPECT_EQ(
        judge(dropped("NO_SOCKET", "__udp4_lib_rcv")).sentence,
        "dropped in __udp4_lib_rcv: nothing listens on udp 10.0.2.2:53; start the service there, "
        "or look with `ss -lntu` where it listens");
    EXPECT_EQ(judge(dropped("IP_RPFILTER", "ip_rcv_finish_core")).mend,
              "add the route back, or set net.ipv4.conf.eth0.rp_filter to 2");
}

TEST(FlowCause, ARuleOfNetfilterNamesItsHook) {
    Packet packet = dropped("NETFILTER_DROP", "nf_hook_slow");
    Sighting hooked = at(Stage::kNetfilter, 15, 0xa0);
    hooked.notes = {{"hook", "input"}, {"family", "ip"}};
    packet.sightings.insert(packet.sightings.begin() + 1, hooked);

    EXPECT_EQ(judge(packet).cause, "a rule of netfilter in the hook input (ip) dropped it");
}

TEST(FlowCause, AReasonMeansWhatItMeansInItsFunction) {
    EXPECT_EQ(judge(dropped("IP_INHDR", "ip_rcv_core")).cause, "its IP header is wrong");
    EXPECT_EQ(judge(dropped("IP_INHDR", "ip_forward")).cause,
              "its TTL ended here, on its way to 10.0.2.2");
    EXPECT_EQ(judge(dropped("PKT_TOO_BIG", "ip_forward")).cause,
              "with its 33 octets it is longer than the MTU of the way on to 10.0.2.2, and must not "
              "be fragmented");
    EXPECT_EQ(judge(dropped("IP_INADDRERRORS", "ip_error")).mend,
              "add the address with `ip addr add`, or forward: net.ipv4.ip_forward=1");
    EXPECT_EQ(judge(dropped("IP_INADDRERRORS", "ip6_forward")).mend,
              "add the address with `ip addr add`, or forward: net.ipv6.conf.all.forwarding=1");
    EXPECT_EQ(judge(dropped("PKT_TOO_BIG", "ip_tunnel_xmit")).cause,
              "it is longer than the MTU of eth0, and must not be fragmented");
}

TEST(FlowCause, WithoutAReasonTheFunctionTells) {
    EXPECT_EQ(judge(dropped("NOT_SPECIFIED", "ip_error")).cause,
              "the route to 10.0.2.2 is unreachable, prohibit or blackhole: it ends here");
    EXPECT_EQ(judge(dropped("NOT_SPECIFIED", "foo")).cause, "the kernel gives no reason");
    EXPECT_EQ(judge(dropped("SOMETHING_NEW", "foo")).cause, "the kernel's reason is SOMETHING_NEW");
}

TEST(FlowCause, AProgramDropsOrSendsFrames) {
    EXPECT_EQ(judge({.sightings = {in_program("f", 10), out_of("f", "drop", 11)}}).sentence,
              "dropped in f: the XDP program of eth0 dropped it; see `ip link show dev eth0` and "
              "who loaded it: `bpftool prog show name f`");
    Packet buffer{.sightings = {out_of("f", "drop", 11)}, .ended = true};
    buffer.sightings.push_back(at(Stage::kDropped, 12, 0xa0)); // a veth's
    EXPECT_EQ(judge(buffer).cause, "the XDP program of eth0 dropped it");
    EXPECT_EQ(judge({.sightings = {out_of("f", "aborted", 11)}}).sentence,
              "dropped in f: the XDP program of eth0 failed (XDP_ABORTED); `weir top @xdperr` "
              "shows with which error");
    Sighting own = out_of("weir_ingress", "drop", 11);
    own.cause = "Weir's ingress rule with handle 2 on eth0: udp dport 53 drop";
    own.mend = "`weir fw delete handle 2` deletes it";
    EXPECT_EQ(judge({.sightings = {own}}).sentence,
              "dropped in weir_ingress: by Weir's ingress rule with handle 2 on eth0: udp dport 53 "
              "drop; `weir fw delete handle 2` deletes it");
    EXPECT_EQ(judge({.sightings = {out_of("f", "redirect", 11)}}).sentence,
              "sent in f: the XDP program of eth0 handed it on (redirect), as udp 10.0.0.2:4000 > "
              "10.0.2.2:53");
    own = out_of("weir_ingress", "redirect", 11);
    own.cause = "Weir on eth0, to backend 10.0.2.2 of 10.9.9.9:53/udp, by its flow";
    EXPECT_EQ(judge({.sightings = {own}}).sentence,
              "sent in weir_ingress: by Weir on eth0, to backend 10.0.2.2 of 10.9.9.9:53/udp, by "
              "its flow, as udp 10.0.0.2:4000 > 10.0.2.2:53");
    EXPECT_EQ(judge({.sightings = {out_of("f", "pass", 11)}}).sentence,
              "lost from sight: it was last seen in f; `weir drops` shows what is dropped without "
              "a packet's address");
}

TEST(FlowCause, WhatIsNotDroppedIsDeliveredSentOrLost) {
    Sighting read = at(Stage::kProcess, 12, 0xa0);
    read.comm = "dnsd";
    read.pid = 99;
    EXPECT_EQ(judge({.sightings = {at(Stage::kReceive, 10, 0xa0), read}}).sentence,
              "delivered: dnsd (99) has read it");
    read.stage = Stage::kFreed;
    EXPECT_EQ(judge({.sightings = {at(Stage::kSocket, 10, 0xa0), read}, .ended = true}).sentence,
              "delivered: dnsd (99) has read it");
    EXPECT_EQ(judge({.sightings = {at(Stage::kSocket, 10, 0xa0)}}).sentence,
              "delivered: socket has taken it");
    EXPECT_EQ(
        judge({.sightings = {at(Stage::kDriver, 10, 0xa0), at(Stage::kFreed, 11, 0xa0)}}).sentence,
        "sent: it left through eth0 as udp 10.0.0.2:4000 > 10.0.2.2:53");
    EXPECT_EQ(judge({.sightings = {at(Stage::kIp, 10, 0xa0)}}).fate, Fate::kLost);
}

TEST(FlowCause, WhatASocketOfTcpHasTakenIsFreedByWhoeverRuns) {
    Tuple syn = kQuery;
    syn.protocol = 6;
    Sighting freed = at(Stage::kFreed, 12, 0xa0, syn);
    freed.comm = "curl";
    freed.pid = 99;
    EXPECT_EQ(
        judge({.sightings = {at(Stage::kSocket, 10, 0xa0, syn), freed}, .ended = true}).sentence,
        "delivered: socket has taken it");
}

TEST(FlowCause, WhatWaitsIsSaidToWait) {
    Sighting postrouting = at(Stage::kNetfilter, 11, 0xa0);
    postrouting.notes = {{"hook", "postrouting"}, {"family", "ip"}};
    for (const Sighting& last : {at(Stage::kOutput, 11, 0xa0), postrouting}) {
        const Verdict verdict = judge({.sightings = {at(Stage::kForward, 10, 0xa0), last}});
        EXPECT_EQ(verdict.fate, Fate::kWaiting);
        EXPECT_EQ(verdict.sentence,
                  "waiting: the next hop towards 10.0.2.2 has not answered to ARP or ND yet; see "
                  "whether it is there: `ip neigh`, `ip route get 10.0.2.2`");
    }
    EXPECT_EQ(judge({.sightings = {at(Stage::kQueue, 10, 0xa0)}}).cause,
              "it is in the queueing discipline of eth0");
}

TEST(FlowTimeline, TimesAndWhatIsNew) {
    Sighting last = at(Stage::kDropped, 5500, 0xa0);
    last.notes = {{"reason", "NO_SOCKET"}};
    const Packet packet{.sightings = {at(Stage::kReceive, 1000, 0xa0), last}};

    EXPECT_EQ(timeline(packet, {{7, "lab-rt"}}),
              " us  +us  netns   device  stage    at\n"
              "0.0  0.0  lab-rt  eth0    receive  receive  udp 10.0.0.2:4000 > 10.0.2.2:53\n"
              "4.5  4.5  lab-rt  eth0    dropped  dropped  reason NO_SOCKET\n");
}

} // namespace
} // namespace weir::flow
