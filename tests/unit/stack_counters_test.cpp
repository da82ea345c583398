#include <gtest/gtest.h>

#include "kernel/stack_counters.h"

namespace weir::kernel {
namespace {

TEST(StackCounters, SoftnetHasALineForEachCpu) {
    const auto all = parse_softnet(
        "0000001a 00000000 00000001 00000000 00000000 00000000 00000000 00000000 00000000 00000000 "
        "00000000 00000000 00000000\n"
        "ffffffff 000000ff 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 "
        "00000000 00000002 00000003\n");

    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[0].processed, 0x1aU);
    EXPECT_EQ(all[0].squeezed, 1U);
    EXPECT_EQ(all[1].cpu, 3U); // CPU 2 is offline
    EXPECT_EQ(all[1].dropped, 255U);
    EXPECT_EQ(all[1].waiting, 2U);
}

TEST(StackCounters, UdpOfBothFamilies) {
    UdpCounters counters;
    add_snmp(
        "Tcp: ActiveOpens InCsumErrors\nTcp: 1 99\n"
        "Udp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors InCsumErrors\n"
        "Udp: 50 5 9 60 8 0 1\n"
        "UdpLite: InDatagrams NoPorts\nUdpLite: 0 2\n",
        counters);
    add_snmp6("Ip6InReceives\t77\nUdp6NoPorts\t10\nUdp6RcvbufErrors 20\nUdpLite6NoPorts 1\n",
              counters);

    EXPECT_EQ(counters.no_ports, 5U + 2 + 10 + 1);
    EXPECT_EQ(counters.full_buffers, 28U);
    EXPECT_EQ(counters.bad_checksums, 1U);
}

TEST(StackCounters, NothingOfNothing) {
    UdpCounters counters;
    add_snmp("", counters);
    add_snmp6("Udp6NoPorts", counters);
    EXPECT_EQ(counters.no_ports, 0U);
    EXPECT_TRUE(parse_softnet("").empty());
}

} // namespace
} // namespace weir::kernel
