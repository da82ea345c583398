#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace weir::verbs {

// Octets as hexadecimal digits; blanks, newlines, colons, commas and dashes between octets do not
// matter.
Result<std::vector<std::uint8_t>> parse_hex(std::string_view text);
std::string to_hex(std::span<const std::uint8_t> octets);
// As `tcpdump -xx` prints it: "	0x0000:  0200 0000 …", 16 octets a line.
std::string hex_dump(std::span<const std::uint8_t> octets);

// Octets [in_begin, in_end) of a packet became [out_begin, out_end) of another; what stands around
// them is the same.
struct Replaced {
    std::size_t in_begin = 0, in_end = 0;
    std::size_t out_begin = 0, out_end = 0;
    bool operator==(const Replaced&) const = default;
};
// Where both have the same length, each run of octets that differ; else one piece from the first
// to the last octet that do. Empty if they are equal.
std::vector<Replaced> compare(std::span<const std::uint8_t> in, std::span<const std::uint8_t> out);

} // namespace weir::verbs
