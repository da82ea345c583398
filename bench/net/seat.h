#pragma once

#include <memory>
#include <string>

#include "bench/net/counting_program.h"
#include "bench/net/generators.h"
#include "bench/net/net_result.h"

namespace weir::bench {

// A peer in a lab of its own, with a sink behind it. Members end in reverse order.
struct Seat {
    // `number`: of the lab.
    static Result<Seat> take(const Peer& peer, const NetJob& job, int number, std::uint32_t queues);

    const Peer* peer;
    std::string refused = {}; // why the peer is missing
    std::unique_ptr<Lab> lab = {};
    std::unique_ptr<CountingProgram> sink = {};
    Device device = {};
};

// What became of the frames of one measurement.
struct Shot {
    Generators::Sent sent;
    NetCounts counts;
    std::string void_because;   // the counts that disagree
    std::uint32_t repeated = 0; // how often it was taken again before they agreed
};

// `packets` from each CPU, `forward`: through to the sink. Where CPUs are scarce the queue of a
// device may overflow while nobody empties it: where frames were only lost they are sent again, a
// few times.
Result<Shot> shoot(const Seat& seat, Generators& generators, std::uint32_t packets, bool forward);

} // namespace weir::bench
