#include "output/units.h"

#include <array>
#include <fmt/format.h>

namespace weir::output {
namespace {

constexpr std::array<std::string_view, 5> kUnits = {"bps", "Kbps", "Mbps", "Gbps", "Tbps"};

// Three digits at most, and one behind the point where it says something.
std::string short_number(double value) {
    std::string text = fmt::format("{:.{}f}", value, value < 99.95 ? 1 : 0);
    if (text.ends_with(".0")) {
        text.resize(text.size() - 2);
    }
    return text;
}

} // namespace

std::string counted(std::uint64_t count, std::string_view what) {
    return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

std::string bit_rate(double bits_per_second) {
    std::size_t unit = 0;
    while (bits_per_second >= 999.5 && unit + 1 < kUnits.size()) {
        bits_per_second /= 1000;
        unit++;
    }
    return short_number(bits_per_second) + std::string(kUnits[unit]);
}

std::string packet_rate(double packets_per_second) {
    return packets_per_second > 0 && packets_per_second < 9.95
               ? short_number(packets_per_second)
               : fmt::format("{:.0f}", packets_per_second);
}

std::string percentage(double part, double whole) {
    return whole > 0 ? fmt::format("{:.1f}%", 100 * part / whole) : "-";
}

} // namespace weir::output
