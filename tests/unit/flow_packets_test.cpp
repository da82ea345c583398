#include <gtest/gtest.h>

#include "flow_sightings.h"

namespace weir::flow {
namespace {

std::string stages(const Packet& packet) {
    std::string all;
    for (const Sighting& each : packet.sightings) {
        all += std::string(all.empty() ? "" : " ") + name(each.stage);
    }
    return all;
}

class FlowPackets : public testing::Test {
protected:
    static constexpr std::uint64_t kIdle = 1000;
    std::vector<Packet> done;
    Packets packets{kIdle, [this](const Packet& packet) { done.push_back(packet); }};
};

TEST_F(FlowPackets, OneEndsWhereItIsFreed) {
    packets.add(at(Stage::kReceive, 10, 0xa0));
    packets.add(at(Stage::kReceive, 11, 0xb0));
    packets.add(at(Stage::kTransport, 12, 0xa0));
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

TEST_F(FlowPackets, OneThatWaitsForItsNextHopIsGivenTheTimeToAskForIt) {
    constexpr std::uint64_t kSecond = 1'000'000'000;
    packets.add(at(Stage::kOutput, 10, 0xa0));
    packets.add(at(Stage::kReceive, 11, 0xb0)); // came later, and waits for nothing
    packets.expire(3 * kSecond);
    ASSERT_EQ(done.size(), 1U);
    EXPECT_EQ(done[0].sightings[0].packet, 0xb0U);

    packets.expire(5 * kSecond);

    EXPECT_EQ(done.size(), 2U);
}

// The kernel builds the whole in the buffer of the fragment that came last.
TEST_F(FlowPackets, FragmentsArePutTogetherInAnotherBuffer) {
    packets.add(at(Stage::kLocal, 10, 0xa0));
    packets.add(at(Stage::kFreed, 11, 0xa0));
    packets.add(at(Stage::kNetfilter, 12, 0xb0));
    packets.add(at(Stage::kTransport, 13, 0xb0));
    packets.add(at(Stage::kSocket, 14, 0xb0));
    packets.add(at(Stage::kFreed, 15, 0xb0));

    ASSERT_EQ(done.size(), 1U);
    EXPECT_EQ(stages(done[0]), "local netfilter transport socket freed");
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
    packets.add(at(Stage::kTransport, 12, 0xa0));
    packets.add(at(Stage::kFreed, 13, 0xa0));

    ASSERT_EQ(done.size(), 1U);
    EXPECT_EQ(done[0].sightings.front().time, 10U);
    EXPECT_EQ(packets.open(), 1U); // the other frame
}

// --- frames without a buffer --------------------------------------------------------------------

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

} // namespace
} // namespace weir::flow
