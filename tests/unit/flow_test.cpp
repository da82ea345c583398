#include <gtest/gtest.h>
#include <sys/socket.h>

#include "flow/cause.h"
#include "flow/flow_text.h"
#include "flow/frame.h"
#include "flow/packets.h"
#include "flow/timeline.h"
#include "text/packet_text.h"

namespace weir::flow {
namespace {

const Tuple kQuery{.protocol = 17,
                   .known = true,
                   .saddr = IpAddr::v4(0x0a000002),
                   .daddr = IpAddr::v4(0x0a000202),
                   .sport = 4000,
                   .dport = 53};

Sighting at(Stage stage, std::uint64_t time, std::uint64_t packet, const Tuple& tuple = kQuery) {
    return {.time = time,
            .stage = stage,
            .at = name(stage),
            .packet = packet,
            .tuple = tuple,
            .device = "eth0",
            .netns = 7,
            .length = 33};
}

// --- words --------------------------------------------------------------------------------------

TEST(FlowText, AddressesAndPortsOfBothSides) {
    const auto flow =
        parse_flow("ip saddr 10.0.0.0/8 ip daddr 203.0.113.10 tcp sport 40000 tcp dport 80");
    ASSERT_TRUE(flow) << flow.error().message;
    const auto& [mask, value] = flow->match;
    EXPECT_EQ(value[TUPLE_FAMILY], AF_INET);
    EXPECT_EQ(value[TUPLE_PROTOCOL], 6U);
    EXPECT_EQ(mask[TUPLE_SADDR_LOW], 0xffffffffff000000U);
    EXPECT_EQ(value[TUPLE_SADDR_LOW], 0x0000ffff0a000000U);
    EXPECT_EQ(mask[TUPLE_DADDR_LOW], ~__u64{0});
    EXPECT_EQ(value[TUPLE_DADDR_LOW], 0x0000ffffcb00710aU);
    EXPECT_EQ(value[TUPLE_SPORT], 40000U);
    EXPECT_EQ(value[TUPLE_DPORT], 80U);
}

TEST(FlowText, WhatIsNotSaidMayBeAnything) {
    const auto flow = parse_flow("udp dport 53");
    ASSERT_TRUE(flow);
    for (const auto part : {TUPLE_FAMILY, TUPLE_SADDR_HIGH, TUPLE_SADDR_LOW, TUPLE_SPORT}) {
        EXPECT_EQ(flow->match.mask[part], 0U);
    }
}

TEST(FlowText, Ipv6Prefixes) {
    const auto flow = parse_flow("ip6 daddr 2001:db8::/48");
    ASSERT_TRUE(flow);
    EXPECT_EQ(flow->match.mask[TUPLE_DADDR_HIGH], 0xffffffffffff0000U);
    EXPECT_EQ(flow->match.value[TUPLE_DADDR_HIGH], 0x20010db800000000U);
    EXPECT_EQ(flow->match.mask[TUPLE_DADDR_LOW], 0U);
}

TEST(FlowText, WhatIsNoFlowIsRefused) {
    const auto message = [](const char* words) { return parse_flow(words).error().message; };
    EXPECT_EQ(message(""), "which flow? for instance: ip saddr 10.0.0.1 tcp dport 80");
    EXPECT_EQ(message("ip daddr 10.0.0.1-10.0.0.2"),
              "a flow has one address or prefix on each side, not a range");
    EXPECT_EQ(message("tcp dport 80-90"), "'tcp dport': a flow has one port, not a range");
    EXPECT_EQ(message("tcp dport != 80"),
              "'tcp dport': a flow has one value of it, without != and sets");
    EXPECT_TRUE(message("vlan id 7").starts_with("'vlan id' tells no flow from others"));
}

TEST(FlowText, AFrameIsOfAFlowByWhatItCarries) {
    const auto flow = parse_flow("ip saddr 10.0.0.0/8 udp dport 53");
    ASSERT_TRUE(flow);
    EXPECT_TRUE(is_of(flow->match, kQuery));
    Tuple other = kQuery;
    other.dport = 54;
    EXPECT_FALSE(is_of(flow->match, other));
    other = kQuery;
    other.saddr = IpAddr::v6({0x20010db800000000, 1});
    EXPECT_FALSE(is_of(flow->match, other));

    const auto fields =
        text::parse_packet("ip saddr 10.0.0.2 ip daddr 10.0.2.2 udp sport 4000 udp dport 53");
    ASSERT_TRUE(fields);
    EXPECT_EQ(tuples_of(text::build_frame(*fields)), std::vector{kQuery});
    EXPECT_TRUE(tuples_of({}).empty());
}

// --- joining ------------------------------------------------------------------------------------

class FlowPackets : public testing::Test {
protected:
    static constexpr std::uint64_t kIdle = 1000;
    std::vector<Packet> done;
    Packets packets{kIdle, [this](const Packet& packet) { done.push_back(packet); }};
};

TEST_F(FlowPackets, OneEndsWhereItIsFreed) {
    packets.add(at(Stage::kReceive, 10, 0xa0));
    packets.add(at(Stage::kReceive, 11, 0xb0));
    packets.add(at(Stage::kIp, 12, 0xa0));
    packets.add(at(Stage::kFreed, 13, 0xa0));

    ASSERT_EQ(done.size(), 1U);
    EXPECT_TRUE(done[0].ended);
    EXPECT_EQ(done[0].sightings.size(), 3U);
    EXPECT_EQ(packets.open(), 1U);
}

TEST_F(FlowPackets, OneThatIsNotSeenAnyMoreEndsToo) {
    packets.add(at(Stage::kReceive, 10, 0xa0));
    packets.expire(10 + kIdle - 1);
    EXPECT_TRUE(done.empty());

    packets.expire(10 + kIdle);

    ASSERT_EQ(done.size(), 1U);
    EXPECT_FALSE(done[0].ended);
}

TEST_F(FlowPackets, TranslationChangesOneSide) {
    Tuple translated = kQuery;
    translated.daddr = IpAddr::v4(0x0a000909);
    translated.dport = 5353;
    packets.add(at(Stage::kReceive, 10, 0xa0));
    packets.add(at(Stage::kForward, 11, 0xa0, translated));
    packets.add(at(Stage::kDropped, 12, 0xa0, translated));

    ASSERT_EQ(done.size(), 1U);
    EXPECT_EQ(done[0].sightings.size(), 3U);
}

TEST_F(FlowPackets, ABufferThatIsUsedAgainIsAnotherPacket) {
    Tuple other = kQuery;
    other.saddr = IpAddr::v4(0x0a000909);
    other.dport = 80;
    packets.add(at(Stage::kReceive, 10, 0xa0));
    packets.add(at(Stage::kReceive, 11, 0xa0, other));

    ASSERT_EQ(done.size(), 1U);
    EXPECT_EQ(done[0].sightings.size(), 1U);
    EXPECT_EQ(packets.open(), 1U);
}

TEST_F(FlowPackets, AFrameGoesOnAsTheFirstBufferOfItsFlow) {
    packets.add(at(Stage::kXdp, 10, 0));
    packets.add(at(Stage::kXdp, 11, 0));
    packets.add(at(Stage::kReceive, 12, 0xa0));
    packets.add(at(Stage::kIp, 12, 0xa0));
    packets.add(at(Stage::kFreed, 13, 0xa0));

    ASSERT_EQ(done.size(), 1U);
    EXPECT_EQ(done[0].sightings.front().time, 10U);
    EXPECT_EQ(packets.open(), 1U); // the other frame
}

// --- frames without a buffer --------------------------------------------------------------------

Sighting in_program(const char* program, std::uint64_t time, const char* device = "eth0",
                    const Tuple& tuple = kQuery) {
    Sighting sighting = at(Stage::kXdp, time, 0, tuple);
    sighting.at = program;
    sighting.frame = 0xf0;
    sighting.device = device;
    return sighting;
}

Sighting out_of(const char* program, const char* action, std::uint64_t time,
                const char* device = "eth0", const Tuple& tuple = kQuery) {
    Sighting sighting = in_program(program, time, device, tuple);
    sighting.notes = {{"action", action}};
    return sighting;
}

std::string stages(const Packet& packet) {
    std::string all;
    for (const Sighting& each : packet.sightings) {
        all += std::string(all.empty() ? "" : " ") + name(each.stage);
    }
    return all;
}

TEST_F(FlowPackets, ADispatcherAndItsProgramSeeOneFrame) {
    for (const std::uint64_t begin : {10, 20}) {
        packets.add(in_program("dispatcher", begin));
        packets.add(in_program("filter", begin + 1));
        packets.add(out_of("filter", "drop", begin + 2));
        packets.add(out_of("dispatcher", "drop", begin + 3));
    }
    packets.finish();

    ASSERT_EQ(done.size(), 2U);
    EXPECT_EQ(stages(done[0]), "xdp xdp xdp xdp");
    EXPECT_EQ(done[1].sightings.front().time, 20U);
}

TEST_F(FlowPackets, AProgramThatPacksItInIsLeftByTheSameFrame) {
    const Tuple outer{.protocol = 4,
                      .known = true,
                      .saddr = IpAddr::v4(0x0a000201),
                      .daddr = IpAddr::v4(0x0a000202)};
    packets.add(in_program("balancer", 10));
    packets.add(out_of("balancer", "tx", 11, "eth0", outer));
    packets.add(in_program("pass", 12, "eth1", outer));
    packets.add(out_of("pass", "pass", 13, "eth1", outer));
    packets.add(at(Stage::kReceive, 14, 0xa0, outer));
    packets.finish();

    ASSERT_EQ(done.size(), 1U);
    EXPECT_EQ(stages(done[0]), "xdp xdp xdp xdp receive");
}

TEST_F(FlowPackets, AVethCopiesABufferForTheOtherSidesProgram) {
    packets.add(at(Stage::kDriver, 10, 0xa0));
    packets.add(at(Stage::kFreed, 11, 0xa0));
    packets.add(in_program("filter", 12, "eth1"));
    packets.add(out_of("filter", "pass", 13, "eth1"));
    Sighting received = at(Stage::kReceive, 14, 0xb0);
    received.device = "eth1";
    packets.add(received);
    packets.add(at(Stage::kDropped, 15, 0xb0));

    ASSERT_EQ(done.size(), 1U);
    EXPECT_EQ(stages(done[0]), "driver xdp xdp receive dropped");
}

TEST_F(FlowPackets, ABufferIsFreedWhoseFrameGoesOn) {
    packets.add(at(Stage::kDriver, 10, 0xa0));
    packets.add(in_program("balancer", 12, "eth1"));
    packets.add(out_of("balancer", "redirect", 13, "eth1"));
    packets.add(at(Stage::kFreed, 14, 0xa0));
    EXPECT_TRUE(done.empty());
    packets.add(in_program("pass", 15, "eth2"));
    packets.finish();

    ASSERT_EQ(done.size(), 1U);
    EXPECT_EQ(stages(done[0]), "driver xdp xdp xdp");
}

TEST_F(FlowPackets, ADriverFreesWhatItSent) {
    packets.add(at(Stage::kDriver, 10, 0xa0));
    packets.add(at(Stage::kFreed, 11, 0xa0));
    EXPECT_TRUE(done.empty()); // it may arrive on this host
    packets.expire(11 + kIdle);

    ASSERT_EQ(done.size(), 1U);
    EXPECT_TRUE(done[0].ended);
    EXPECT_EQ(stages(done[0]), "driver freed");
}

TEST_F(FlowPackets, GenericProgramsRunOnABuffer) {
    packets.add(at(Stage::kReceive, 10, 0xa0));
    packets.add(in_program("filter", 11));
    packets.add(out_of("filter", "pass", 12));
    packets.add(at(Stage::kIp, 13, 0xa0));
    packets.add(at(Stage::kDropped, 14, 0xa0));

    ASSERT_EQ(done.size(), 1U);
    EXPECT_EQ(stages(done[0]), "receive xdp xdp ip dropped");
}

TEST_F(FlowPackets, GenericXdpCopiesABufferWithoutRoom) {
    packets.add(at(Stage::kReceive, 10, 0xa0));
    packets.add(at(Stage::kFreed, 11, 0xa0));
    packets.add(in_program("filter", 12));
    packets.add(out_of("filter", "drop", 13));
    packets.add(at(Stage::kDropped, 14, 0xb0));

    ASSERT_EQ(done.size(), 1U);
    EXPECT_EQ(stages(done[0]), "receive xdp xdp dropped");
}

TEST_F(FlowPackets, AProgramOfTcIsBetweenSightingsOfTheBuffer) {
    packets.add(at(Stage::kReceive, 10, 0xa0));
    Sighting in = at(Stage::kTc, 11, 0);
    packets.add(in);
    in.time = 12;
    in.notes = {{"action", "unspec"}};
    packets.add(in);
    packets.add(at(Stage::kIp, 13, 0xa0));
    packets.add(at(Stage::kNetfilter, 14, 0xa0));
    packets.add(at(Stage::kTc, 15, 0)); // on its way out
    packets.add(at(Stage::kDropped, 16, 0xa0));

    ASSERT_EQ(done.size(), 1U);
    EXPECT_EQ(stages(done[0]), "receive tc tc ip netfilter tc dropped");
}

TEST_F(FlowPackets, WhatIsFreedAndWasNeverSeenIsNone) {
    packets.add(at(Stage::kFreed, 10, 0xa0));
    packets.finish();
    EXPECT_TRUE(done.empty());
}

TEST_F(FlowPackets, InASocketsQueueTheDeviceIsTheOneBefore) {
    packets.add(at(Stage::kSocket, 10, 0xa0));
    Sighting read = at(Stage::kProcess, 11, 0xa0);
    read.device = "\x01garbage";
    read.netns = 123456;
    packets.add(read);
    packets.finish();

    ASSERT_EQ(done.size(), 1U);
    EXPECT_EQ(done[0].sightings[1].device, "eth0");
    EXPECT_EQ(done[0].sightings[1].netns, 7U);
}

// --- what became of it --------------------------------------------------------------------------

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

TEST(FlowCause, WithoutAReasonTheFunctionTells) {
    EXPECT_TRUE(judge(dropped("NOT_SPECIFIED", "ip_forward")).cause.find("TTL") !=
                std::string::npos);
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
              "sent in f: the XDP program of eth0 handed it on (redirect) as udp 10.0.0.2:4000 > "
              "10.0.2.2:53");
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
