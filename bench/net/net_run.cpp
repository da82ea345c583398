#include "bench/net/net_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <thread>

#include "bench/cpus.h"
#include "bench/net/counting_program.h"
#include "bench/net/generators.h"

namespace weir::bench {
namespace {

// What rounds gave.
struct Samples {
    std::string void_because;
    std::vector<double> cpu_ns, packets_per_second;
    NetCounts counts;
};

// A peer in its lab. Members end in reverse order.
struct Seat {
    explicit Seat(const Peer& of) : peer(of) {}

    const Peer& peer;
    std::string refused; // of every size
    std::unique_ptr<Lab> lab;
    std::unique_ptr<CountingProgram> sink;
    Device device;
    std::vector<Samples> samples = {}; // of the size that is being measured, by number of CPUs

    bool runs(std::size_t cpus) const {
        return refused.empty() && samples[cpus].void_because.empty();
    }
};

Result<> set_up(Seat& seat, const NetJob& job, int number, std::uint32_t queues) {
    WEIR_TRY(auto lab, Lab::make(number, queues));
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
Result<> measure(const Seat& seat, Samples& samples, Generators& generators, std::uint32_t packets,
                 bool forward, bool timed) {
    constexpr int kReadings = 20;
    constexpr auto kBetween = std::chrono::milliseconds(5);
    WEIR_TRY(const NetCounts before, read_counts(seat));
    WEIR_TRY(const auto sent, generators.send(*seat.lab, packets));
    NetCounts counts;
    for (int reading = 0; reading < kReadings; reading++) {
        WEIR_TRY(const NetCounts now, read_counts(seat));
        counts = since(before, now, sent.packets);
        if (disagreement(counts, forward).empty()) {
            break;
        }
        std::this_thread::sleep_for(kBetween);
    }
    const std::uint64_t wanted = packets * generators.cpus();
    const std::string wrong = sent.packets == wanted
                                  ? disagreement(counts, forward)
                                  : fmt::format("the generator sent {}", sent.packets);
    if (!wrong.empty()) {
        samples.void_because =
            fmt::format("void, for the counts of {} packets disagree: {}", wanted, wrong);
    } else if (timed) {
        samples.cpu_ns.push_back(sent.cpu_ns);
        samples.packets_per_second.push_back(sent.packets_per_second);
        samples.counts += counts;
    }
    return {};
}

// Of the same mode; what runs in the kernel's stack is compared with the fastest.
const Seat* floor_of(const Seat& seat, const std::vector<Seat>& seats, std::size_t cpus) {
    const Seat* best = nullptr;
    for (const Seat& each : seats) {
        if (each.peer.name != kFloor || !each.runs(cpus)) {
            continue;
        }
        if (each.peer.mode == seat.peer.mode) {
            return &each;
        }
        best = best == nullptr ? &each : best;
    }
    return best;
}

NetMeasured measured_of(const Samples& samples) {
    NetMeasured measured;
    measured.packets_per_second = figure_of(samples.packets_per_second);
    measured.cpu_ns = figure_of(samples.cpu_ns);
    measured.counts = samples.counts;
    return measured;
}

// What all peers do by turns.
struct Trial {
    const NetJob& job;
    std::uint32_t size;
    const NetOptions& options;
    std::vector<std::uint32_t> cpus; // numbers of them, by index
};

NetCase case_of(const Trial& trial, const Seat& seat, const std::vector<Seat>& seats,
                std::size_t cpus) {
    NetCase each{.job = trial.job.name,
                 .peer = seat.peer.name,
                 .what = seat.peer.what,
                 .mode = seat.peer.mode,
                 .size = trial.size,
                 .flows = trial.options.flows,
                 .cpus = trial.cpus[cpus]};
    if (!seat.runs(cpus)) {
        each.refused = seat.refused.empty() ? seat.samples[cpus].void_because : seat.refused;
        return each;
    }
    const Samples& samples = seat.samples[cpus];
    each.measured = measured_of(samples);
    if (const Seat* floor = floor_of(seat, seats, cpus); floor != nullptr) {
        each.measured->ratio = ratio_of(samples.cpu_ns, floor->samples[cpus].cpu_ns);
    }
    if (each.cpus > 1 && trial.cpus.front() == 1 && seat.runs(0)) {
        each.measured->efficiency =
            ratio_of(samples.packets_per_second, seat.samples[0].packets_per_second, each.cpus);
    }
    return each;
}

// Round by round; in each, every peer on every number of CPUs by turns.
Result<> run_trial(const Trial& trial, std::vector<Seat>& seats,
                   const std::function<void(const std::string&)>& progress) {
    const auto& [job, size, options, numbers] = trial;
    WEIR_TRY(const auto allowed, allowed_cpus());
    std::vector<Generators> generators;
    for (const std::uint32_t cpus : numbers) {
        WEIR_TRY(auto made, Generators::make(net_traffic(job, size, options.flows),
                                             {allowed.end() - cpus, allowed.end()}));
        generators.push_back(std::move(made));
    }
    for (Seat& seat : seats) {
        seat.samples.assign(numbers.size(), {});
    }
    // Round 0 warms up: it fills flow tables and caches, and its counts must agree, too.
    for (std::uint32_t round = 0; round <= options.rounds; round++) {
        const std::uint32_t packets = round == 0 ? std::max(options.flows, 1000U) : options.packets;
        for (Seat& seat : seats) {
            for (std::size_t cpus = 0; cpus < generators.size(); cpus++) {
                if (!seat.runs(cpus)) {
                    continue;
                }
                progress(fmt::format("{}, {} octets, round {} of {}: {}", job.name, size, round,
                                     options.rounds, seat.peer.name));
                WEIR_CHECK(measure(seat, seat.samples[cpus], generators[cpus], packets, job.forward,
                                   round > 0));
            }
        }
    }
    return {};
}

} // namespace

Result<std::vector<NetCase>> run_job(const NetJob& job, const std::vector<Peer>& peers,
                                     const NetOptions& options,
                                     const std::function<void(const std::string&)>& progress) {
    WEIR_TRY(const auto allowed, allowed_cpus());
    const std::uint32_t queues = options.cpus.back() > 1 ? allowed.back() + 1 : 1;
    std::vector<Seat> seats;
    seats.reserve(peers.size()); // devices keep references to their labs
    for (const Peer& peer : peers) {
        progress(fmt::format("{}: {}", job.name, peer.name));
        seats.emplace_back(peer);
        WEIR_CHECK(set_up(seats.back(), job, static_cast<int>(seats.size()), queues));
    }
    std::vector<NetCase> cases;
    for (const std::uint32_t size : options.sizes) {
        const bool smallest = size == *std::min_element(options.sizes.begin(), options.sizes.end());
        const Trial trial{job, size, options,
                          smallest ? options.cpus : std::vector{options.cpus.front()}};
        WEIR_CHECK(run_trial(trial, seats, progress));
        for (std::size_t cpus = 0; cpus < trial.cpus.size(); cpus++) {
            for (const Seat& seat : seats) {
                cases.push_back(case_of(trial, seat, seats, cpus));
            }
        }
    }
    return cases;
}

} // namespace weir::bench
