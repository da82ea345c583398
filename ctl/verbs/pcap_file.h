#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"

namespace weir::verbs {

// One packet of a capture file.
struct CapturedFrame {
    std::vector<std::uint8_t> octets;
    std::uint32_t length = 0; // as it was on the wire; more than `octets` where the capture cut it
};

// Reads a pcap or pcapng file of Ethernet frames and gives each to `each`, until it is refused. "-"
// is the standard input.
Result<> read_capture(const std::string& path,
                      const std::function<Result<>(const CapturedFrame&)>& each);

} // namespace weir::verbs
