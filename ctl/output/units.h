#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace weir::output {

// "0 packets", "1 packet", "2 packets"; of words with another plural nothing.
std::string counted(std::uint64_t count, std::string_view what);
// Bits per second as ss(8) writes them: "0bps", "999bps", "1.2Kbps", "85Mbps", "10.4Gbps".
std::string bit_rate(double bits_per_second);
// Packets per second: "0", "0.5", "12", "1234567".
std::string packet_rate(double packets_per_second);
// A share of a whole: "33.3%"; "-" of nothing.
std::string percentage(double part, double whole);

} // namespace weir::output
