#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bench/document.h"
#include "bench/net/peers.h"
#include "bench/statistics.h"

namespace weir::bench {

// The same frames, counted at every station of one measurement.
struct NetCounts {
    std::uint64_t generator = 0;
    std::uint64_t device = 0;             // by the driver of its interface
    std::optional<std::uint64_t> handled; // by the device's own books
    std::int64_t unaccounted = 0;         // by Weir's ledger
    std::uint64_t sink = 0;
    NetCounts& operator+=(const NetCounts& other);
};

// "" if all stations agree on what became of the frames; otherwise the counts.
std::string disagreement(const NetCounts& counts, bool forward);

// They disagree only because frames were lost on their way, as in a queue that overflowed: each
// station's books are right for those that it got.
bool only_lost(const NetCounts& counts, bool forward);

struct NetMeasured {
    Figure packets_per_second;
    Figure cpu_ns;               // of a packet: generator, device and sink together
    std::optional<Figure> ratio; // of cpu_ns to the floor's, round by round
    // On several CPUs: packets a second, of the sum of what each of them sends alone; round by round.
    std::optional<Figure> efficiency;
    NetCounts counts;           // of all rounds
    std::uint32_t repeated = 0; // rounds whose counts disagreed, and which were taken again
};

struct NetCase {
    std::string job;
    std::string peer;
    std::string what;
    NetMode mode{};
    std::uint32_t size = 0;
    std::uint32_t flows = 0;
    std::uint32_t cpus = 1; // that send at the same time
    std::optional<NetMeasured> measured = {};
    std::string refused = {}; // why there is no figure

    std::string name() const; // "filter-1/nft-rules/stack/64", "forward/kernel/stack/64/2-cpus"
};

struct NetOptions {
    std::vector<NetJob> jobs;
    std::vector<std::uint32_t> sizes = {64, 512, 1500};
    std::uint32_t flows = 1024;
    std::vector<NetMode> modes = {NetMode::kNative, NetMode::kGeneric};
    // Rising; all but the first with frames of the smallest size alone.
    std::vector<std::uint32_t> cpus = {1};
    std::uint32_t rounds = 5;
    std::uint32_t packets = 1'000'000; // of a measurement, on each CPU
};

struct NetResult {
    Origin origin;
    NetOptions options;
    std::vector<NetCase> cases;
};

Json to_json(const NetResult& result);

} // namespace weir::bench
