#pragma once

#include <deque>
#include <functional>
#include <map>

#include "flow/sighting.h"

namespace weir::flow {

// One packet, from where it was first seen to where it ended.
struct Packet {
    std::vector<Sighting> sightings; // by time
    bool ended = false;              // dropped or freed; else it was not seen any more
};

// Joins sightings into packets: by the address of the buffer, and where a frame without one (XDP)
// goes on with one, by addresses and order. Both are reused, so that what cannot be the same packet
// begins a new one.
class Packets {
public:
    // `each` gets every packet once it has ended, or has not been seen for `idle_ns`.
    Packets(std::uint64_t idle_ns, std::function<void(const Packet&)> each)
        : idle_ns_(idle_ns), each_(std::move(each)) {}

    void add(Sighting sighting);
    // What is idle at that time (ns of CLOCK_MONOTONIC) has ended.
    void expire(std::uint64_t now);
    // All that have not ended have.
    void finish();
    std::size_t open() const { return by_buffer_.size() + frames_.size(); }

private:
    Packet take_begun(const Sighting& sighting);

    std::uint64_t idle_ns_;
    std::function<void(const Packet&)> each_;
    std::map<std::uint64_t, Packet> by_buffer_;
    std::deque<Packet> frames_; // seen by XDP only, the oldest first
};

} // namespace weir::flow
