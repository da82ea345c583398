#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "bench/net/lab.h"
#include "bench/net/live_generator.h"
#include "bench/traffic.h"

namespace weir::bench {

// A generator for each of some CPUs, which send at the same time, each its own share of the flows,
// as a NIC spreads flows over queues (RSS).
class Generators {
public:
    struct Sent {
        std::uint64_t packets = 0;     // by all of them
        double packets_per_second = 0; // the sum of theirs
        double cpu_ns = 0;             // of a packet, all the way to the sink
    };

    static Result<Generators> make(const Traffic& traffic, const std::vector<unsigned>& cpus);

    const std::vector<unsigned>& cpus() const { return cpus_; }

    // `packets` from each CPU. A single generator whose CPU this thread is on runs in it.
    Result<Sent> send(const Lab& lab, std::uint32_t packets);

private:
    std::vector<unsigned> cpus_;
    std::vector<LiveGenerator> each_; // by the same index
};

} // namespace weir::bench
