#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <gtest/gtest.h>
#include <string>

#include "output/output.h"
#include "output/units.h"

namespace weir::output {
namespace {

// What `write` leaves in a stream of memory.
template <typename Write>
std::string printed(bool json, Write write) {
    char* text = nullptr;
    std::size_t size = 0;
    std::FILE* stream = open_memstream(&text, &size);
    Output out(json, stream);
    write(out);
    EXPECT_EQ(out.flush(), 0);
    std::fclose(stream);
    std::string result(text, size);
    std::free(text);
    return result;
}

TEST(Output, PrintsTheFormThatWasAskedFor) {
    const auto both = [](Output& out) {
        out.text("2 rules\n");
        out.document({{"rules", 2}});
    };

    EXPECT_EQ(printed(false, both), "2 rules\n");
    EXPECT_EQ(printed(true, both), "{\n  \"schema\": 1,\n  \"rules\": 2\n}\n");
}

TEST(Output, ReplacesWhatIsNotUtf8InJson) {
    EXPECT_EQ(printed(true,
                      [](Output& out) {
                          out.document({{"name", "\xff"}});
                      }),
              "{\n  \"schema\": 1,\n  \"name\": \"\xef\xbf\xbd\"\n}\n");
}

TEST(Output, KeepsTheFirstErrorOfAFullDisk) {
    std::FILE* full = std::fopen("/dev/full", "w");
    ASSERT_NE(full, nullptr);
    Output out(false, full);

    out.text("lost\n");
    EXPECT_EQ(out.flush(), ENOSPC);
    EXPECT_EQ(out.flush(), ENOSPC);
    std::fclose(full);
}

TEST(Output, NoticesAClosedDescriptor) {
    std::FILE* reader = std::fopen("/dev/null", "r");
    ASSERT_NE(reader, nullptr);
    Output out(false, reader);

    out.text("lost\n");
    EXPECT_EQ(out.flush(), EBADF);
    std::fclose(reader);
}

TEST(OneLine, KeepsControlCharactersFromTheTerminal) {
    EXPECT_EQ(one_line("a\nb\tc\x1b[2J\x7f"), "a\\nb\\tc\\x1b[2J\\x7f");
    EXPECT_EQ(one_line("Müller"), "Müller");
}

TEST(Units, BitRatesAsSsWritesThem) {
    EXPECT_EQ(bit_rate(0), "0bps");
    EXPECT_EQ(bit_rate(999), "999bps");
    EXPECT_EQ(bit_rate(999.6), "1Kbps");
    EXPECT_EQ(bit_rate(1234), "1.2Kbps");
    EXPECT_EQ(bit_rate(85e6), "85Mbps");
    EXPECT_EQ(bit_rate(99.96e6), "100Mbps");
    EXPECT_EQ(bit_rate(10.44e9), "10.4Gbps");
    EXPECT_EQ(bit_rate(2.5e15), "2500Tbps");
}

TEST(Units, OneIsNotSeveral) {
    EXPECT_EQ(counted(0, "packet"), "0 packets");
    EXPECT_EQ(counted(1, "packet"), "1 packet");
    EXPECT_EQ(counted(2, "packet"), "2 packets");
}

TEST(Units, PacketRatesHaveNoUnit) {
    EXPECT_EQ(packet_rate(0), "0");
    EXPECT_EQ(packet_rate(0.5), "0.5");
    EXPECT_EQ(packet_rate(9.96), "10");
    EXPECT_EQ(packet_rate(1234567.4), "1234567");
}

TEST(Units, SharesOfNothingAreADash) {
    EXPECT_EQ(percentage(1, 3), "33.3%");
    EXPECT_EQ(percentage(0, 0), "-");
}

} // namespace
} // namespace weir::output
