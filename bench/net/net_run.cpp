#include "bench/net/net_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <thread>

#include "bench/net/counting_program.h"
#include "bench/net/live_generator.h"

namespace weir::bench {
namespace {

// A peer in its lab, and what its rounds gave. Members end in reverse order.
struct Seat {
    explicit Seat(const Peer& of) : peer(of) {}

    const Peer& peer;
    std::string refused; // of every size
    std::unique_ptr<Lab> lab;
    std::unique_ptr<CountingProgram> sink;
    Device device;

    // Of the size that is being measured.
    std::string void_because;
    std::vector<double> cpu_ns, wall_ns;
    NetCounts counts;

    bool runs() const { return refused.empty() && void_because.empty(); }
};

Result<> set_up(Seat& seat, const NetJob& job, int number) {
    WEIR_TRY(auto lab, Lab::make(number));
    seat.lab = std::make_unique<Lab>(std::move(lab));
    WEIR_CHECK(seat.lab->enter(Lab::Place::kSink));
    WEIR_TRY(auto sink, CountingProgram::drop(seat.lab->sink(), false));
    seat.sink = std::make_unique<CountingProgram>(std::move(sink));
    WEIR_CHECK(seat.lab->enter(Lab::Place::kDevice));
    auto device = seat.peer.set_up(*seat.lab, job);
    if (device) {
        seat.device = *std::move(device);
    } else {
        seat.refused = device.error().message();
    }
    return {};
}

// What the stations have counted so far.
Result<NetCounts> read_counts(const Seat& seat) {
    NetCounts counts;
    WEIR_TRY(counts.device, seat.lab->received());
    WEIR_TRY(counts.sink, seat.sink->count());
    if (seat.device.books) {
        WEIR_TRY(const auto books, seat.device.books());
        counts.handled = books.handled;
        counts.unaccounted = books.unaccounted;
    }
    return counts;
}

NetCounts since(const NetCounts& before, NetCounts now, std::uint64_t generated) {
    now.generator = generated;
    now.device -= before.device;
    now.sink -= before.sink;
    if (now.handled) {
        *now.handled -= before.handled.value_or(0);
    }
    return now;
}

// One measurement. Frames may be under way for a moment after the generator is done.
Result<> measure(Seat& seat, LiveGenerator& generator, std::uint32_t packets, bool forward,
                 bool timed) {
    constexpr int kReadings = 20;
    constexpr auto kBetween = std::chrono::milliseconds(5);
    WEIR_TRY(const NetCounts before, read_counts(seat));
    WEIR_TRY(const auto sent, generator.send(*seat.lab, packets));
    NetCounts counts;
    for (int reading = 0; reading < kReadings; reading++) {
        WEIR_TRY(const NetCounts now, read_counts(seat));
        counts = since(before, now, sent.packets);
        if (disagreement(counts, forward).empty()) {
            break;
        }
        std::this_thread::sleep_for(kBetween);
    }
    const std::string wrong = sent.packets == packets
                                  ? disagreement(counts, forward)
                                  : fmt::format("the generator sent {}", sent.packets);
    if (!wrong.empty()) {
        seat.void_because =
            fmt::format("void, for the counts of {} packets disagree: {}", packets, wrong);
    } else if (timed) {
        seat.cpu_ns.push_back(sent.cpu_ns);
        seat.wall_ns.push_back(std::max(sent.wall_ns, 1.0));
        seat.counts += counts;
    }
    return {};
}

// Of the same mode; what runs in the kernel's stack is compared with the fastest.
const Seat* floor_of(const Seat& seat, const std::vector<Seat>& seats) {
    const Seat* best = nullptr;
    for (const Seat& each : seats) {
        if (each.peer.name != kFloor || !each.runs()) {
            continue;
        }
        if (each.peer.mode == seat.peer.mode) {
            return &each;
        }
        best = best == nullptr ? &each : best;
    }
    return best;
}

NetMeasured measured_of(const Seat& seat, const Seat* floor) {
    NetMeasured measured;
    std::vector<double> rates, ratios;
    for (const double ns : seat.wall_ns) {
        rates.push_back(1e9 / ns);
    }
    measured.packets_per_second = figure_of(std::move(rates));
    measured.cpu_ns = figure_of(seat.cpu_ns);
    measured.counts = seat.counts;
    if (floor != nullptr) {
        for (std::size_t round = 0; round < seat.cpu_ns.size(); round++) {
            ratios.push_back(seat.cpu_ns[round] / floor->cpu_ns[round]);
        }
        measured.ratio = figure_of(std::move(ratios));
    }
    return measured;
}

Result<> measure_size(std::vector<Seat>& seats, const NetJob& job, std::uint32_t size,
                      const NetOptions& options,
                      const std::function<void(const std::string&)>& progress) {
    WEIR_TRY(auto generator, LiveGenerator::make(net_traffic(job, size, options.flows)));
    for (Seat& seat : seats) {
        seat.void_because.clear();
        seat.cpu_ns.clear();
        seat.wall_ns.clear();
        seat.counts = {};
    }
    // Round 0 warms up: it fills flow tables and caches, and its counts must agree, too.
    for (std::uint32_t round = 0; round <= options.rounds; round++) {
        for (Seat& seat : seats) {
            if (!seat.runs()) {
                continue;
            }
            progress(fmt::format("{}, {} octets, round {} of {}: {}", job.name, size, round,
                                 options.rounds, seat.peer.name));
            const std::uint32_t packets =
                round == 0 ? std::max(options.flows, 1000U) : options.packets;
            WEIR_CHECK(measure(seat, generator, packets, job.forward, round > 0));
        }
    }
    return {};
}

} // namespace

Result<std::vector<NetCase>> run_job(const NetJob& job, const std::vector<Peer>& peers,
                                     const NetOptions& options,
                                     const std::function<void(const std::string&)>& progress) {
    std::vector<Seat> seats;
    seats.reserve(peers.size()); // devices keep references to their labs
    for (const Peer& peer : peers) {
        progress(fmt::format("{}: {}", job.name, peer.name));
        seats.emplace_back(peer);
        WEIR_CHECK(set_up(seats.back(), job, static_cast<int>(seats.size())));
    }
    std::vector<NetCase> cases;
    for (const std::uint32_t size : options.sizes) {
        WEIR_CHECK(measure_size(seats, job, size, options, progress));
        for (const Seat& seat : seats) {
            NetCase each{.job = job.name,
                         .peer = seat.peer.name,
                         .what = seat.peer.what,
                         .mode = seat.peer.mode,
                         .size = size,
                         .flows = options.flows};
            if (seat.runs()) {
                each.measured = measured_of(seat, floor_of(seat, seats));
            } else {
                each.refused = seat.refused.empty() ? seat.void_because : seat.refused;
            }
            cases.push_back(std::move(each));
        }
    }
    return cases;
}

} // namespace weir::bench
