#include <bpf/bpf.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>
#include <netinet/in.h>

#include "base/fd.h"
#include "bench/packet/test_bed.h"

// What a program under test is given lap after lap.
namespace weir::bench {
namespace {

// Answers 2 at once: XDP_PASS, TC_ACT_SHOT.
Fd program(bpf_prog_type type) {
    const bpf_insn insns[] = {
        {.code = BPF_ALU64 | BPF_MOV | BPF_K,
         .dst_reg = BPF_REG_0,
         .src_reg = 0,
         .off = 0,
         .imm = 2},
        {.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0}};
    return Fd(bpf_prog_load(type, "answer", "GPL", insns, std::size(insns), nullptr));
}

text::PacketFields packet(const char* saddr, const char* daddr, std::uint8_t protocol) {
    text::PacketFields fields;
    fields.saddr = *IpAddr::parse(saddr);
    fields.daddr = *IpAddr::parse(daddr);
    fields.family = fields.saddr->family();
    fields.protocol = protocol;
    fields.payload_length = 100;
    return fields;
}

// The last frames of runs of `laps` each.
void expect_flows(bpf_prog_type type, const text::PacketFields& first, std::uint32_t flows,
                  const std::vector<std::uint32_t>& laps) {
    const Fd under_test = program(type);
    ASSERT_TRUE(under_test);
    auto bed =
        TestBed::set_up(under_test.get(), make_flows(flows, 1, [&](std::size_t) { return first; }));
    ASSERT_TRUE(bed) << bed.error().message();
    std::uint32_t all = 0;
    for (const std::uint32_t each : laps) {
        const auto run = bed->run(REARM_UNDER_TEST, each);
        ASSERT_TRUE(run) << run.error().message();
        all += each;
        EXPECT_EQ(run->last, text::build_frame(nth_flow(first, (all - 1) % flows)))
            << "lap " << all;
        EXPECT_EQ(run->tally.of(2), each);
    }
}

TEST(BenchPacket, FlowsTakeTurns) {
    auto tagged = packet("172.16.0.0", "203.0.113.10", IPPROTO_UDP);
    tagged.vlan_ids = {7, 8};
    const text::PacketFields packets[] = {
        packet("172.16.0.0", "203.0.113.10", IPPROTO_TCP),
        packet("10.0.255.250", "203.0.113.10", IPPROTO_UDP),
        packet("172.16.0.0", "203.0.113.10", IPPROTO_ICMP),
        packet("2001:db8::ffff:fff0", "2001:db8::10", IPPROTO_TCP),
        packet("2001:db8::1", "2001:db8::10", IPPROTO_ICMPV6),
        tagged};
    for (const text::PacketFields& each : packets) {
        expect_flows(BPF_PROG_TYPE_XDP, each, 70000, {1, 1, 98, 65435, 1, 1, 4463, 1, 1});
        expect_flows(BPF_PROG_TYPE_SCHED_CLS, each, 300, {1, 1, 298, 1});
    }
}

TEST(BenchPacket, OneFlowIsThePacketItself) {
    expect_flows(BPF_PROG_TYPE_XDP, nth_flow(packet("172.16.0.9", "203.0.113.10", IPPROTO_TCP), 0),
                 1, {1, 5});
}

TEST(BenchPacket, FramesWithoutAnIpHeaderHaveNoFlows) {
    text::PacketFields arp;
    arp.ip = false;
    arp.ether_type = 0x0806;
    const Traffic traffic = make_flows(10, 1, [&](std::size_t) { return arp; });
    EXPECT_EQ(traffic.turns(), 1U);
    const Fd under_test = program(BPF_PROG_TYPE_XDP);
    auto bed = TestBed::set_up(under_test.get(), traffic);
    ASSERT_TRUE(bed) << bed.error().message();
    const auto run = bed->run(REARM_UNDER_TEST, 3);
    ASSERT_TRUE(run) << run.error().message();
    EXPECT_EQ(run->last, text::build_frame(arp));
}

TEST(BenchPacket, HeadersTakeTurnsBesideFlows) {
    const auto to = [](std::size_t i) {
        return packet("172.16.0.0", i == 0 ? "203.0.113.10" : "203.0.113.11", IPPROTO_TCP);
    };
    const Fd under_test = program(BPF_PROG_TYPE_XDP);
    auto bed = TestBed::set_up(under_test.get(), make_flows(4, 2, to));
    ASSERT_TRUE(bed) << bed.error().message();
    std::vector<std::vector<std::uint8_t>> seen;
    for (int lap = 0; lap < 4; lap++) {
        const auto run = bed->run(REARM_UNDER_TEST, 1);
        ASSERT_TRUE(run) << run.error().message();
        seen.push_back(run->last);
    }
    // The headers are in a random order.
    const std::size_t first = seen[0] == text::build_frame(nth_flow(to(0), 0)) ? 0 : 1;
    for (std::size_t lap = 0; lap < 4; lap++) {
        EXPECT_EQ(seen[lap], text::build_frame(nth_flow(to((first + lap) % 2), lap))) << lap;
    }
}

} // namespace
} // namespace weir::bench
