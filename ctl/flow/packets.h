#pragma once

#include <functional>
#include <list>
#include <map>
#include <unordered_map>

#include "flow/sighting.h"

namespace weir::flow {

// One packet, from where it was first seen to where it ended.
struct Packet {
    std::vector<Sighting> sightings; // by time
    bool ended = false;              // dropped or freed; else it was not seen any more
};

// Joins sightings, which come by time, into packets: by the address of the buffer; and where a
// frame has none (XDP), or a driver hands it on in another one, by addresses and order. Buffers are
// reused, so that what cannot be the same packet begins a new one.
class Packets {
public:
    // `each` gets every packet once it has ended, or has not been seen for `idle_ns`; longer where
    // the kernel may ask for the next hop's address.
    Packets(std::uint64_t idle_ns, std::function<void(const Packet&)> each)
        : idle_ns_(idle_ns), each_(std::move(each)) {}

    void add(Sighting sighting);
    // What is idle at that time (ns of CLOCK_MONOTONIC) has ended.
    void expire(std::uint64_t now);
    // All that have not ended have.
    void finish();
    std::size_t open() const { return open_.size(); }

private:
    struct Open {
        Packet packet;
        std::uint64_t buffer = 0; // that it is in; 0: none
    };
    using Place = std::list<Open>::iterator;

    static bool goes_on(const Open& open, const Sighting& now);
    Place find(const Sighting& sighting);
    Place find_in_program(const Sighting& sighting);
    Place find_by_tuple(const Sighting& sighting);
    // As what it is found by next.
    void index(Place place);
    void unindex(Place place);
    void end(Place place);

    std::uint64_t idle_ns_;
    std::function<void(const Packet&)> each_;
    std::list<Open> open_; // what was seen last is behind
    std::unordered_map<std::uint64_t, Place> by_buffer_;
    std::multimap<Tuple, Place> by_tuple_;      // that may go on in another buffer, or in none
    std::map<std::uint32_t, Place> in_program_; // by CPU
};

} // namespace weir::flow
