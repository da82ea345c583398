#pragma once

#include <algorithm>
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
    rearm_flows flows{};               // that take turns in these headers
    // Laps after which all of it was there.
    std::uint32_t turns() const {
        return std::max(static_cast<std::uint32_t>(headers.size()), flows.count);
    }
};

// `count` frames in a seeded random order; `packet(i)` describes the i-th. All are of one
// length, and alike behind REARM_HEADER_MAX octets.
Traffic make_traffic(std::size_t count,
                     const std::function<text::PacketFields(std::size_t)>& packet);

// The same, in which flows 0 to `flows` - 1 of nth_flow() of each packet take turns; `flows` is a
// multiple of `count`. They are of one family and protocol.
Traffic make_flows(std::uint32_t flows, std::size_t count,
                   const std::function<text::PacketFields(std::size_t)>& packet);

// The i-th flow of those that differ from `first` in source address and source port.
text::PacketFields nth_flow(const text::PacketFields& first, std::size_t i);

// A frame as it is, alone. It is refused if it is no Ethernet frame.
Result<Traffic> single_frame(const std::vector<std::uint8_t>& frame);

} // namespace weir::bench
