#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "base/result.h"
#include "bench/bpf/rearm.h"
#include "text/packet_frame.h"

namespace weir::bench {

// Frames of one length that a program under test is given by turns.
struct Traffic {
    std::vector<std::uint8_t> frame;   // one of them, whole
    std::vector<rearm_header> headers; // how each begins, in the order of their turns
};

// `count` frames in a seeded random order; `packet(i)` describes the i-th. All are of one
// length, and alike behind REARM_HEADER_MAX octets.
Traffic make_traffic(std::size_t count,
                     const std::function<text::PacketFields(std::size_t)>& packet);

// The i-th flow of those that differ from `first` in source address and source port.
text::PacketFields nth_flow(const text::PacketFields& first, std::size_t i);

// A frame as it is, alone. It is refused if it is no Ethernet frame.
Result<Traffic> single_frame(const std::vector<std::uint8_t>& frame);

} // namespace weir::bench
