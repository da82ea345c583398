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
    std::string void_because; // the counts that disagree
};

// `packets` from each CPU, `forward`: through to the sink.
Result<Shot> shoot(const Seat& seat, Generators& generators, std::uint32_t packets, bool forward);

} // namespace weir::bench
