#include "bench/net/seat.h"

#include <fmt/format.h>

#include <chrono>
#include <thread>

namespace weir::bench {
namespace {

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

// Frames may be under way for a moment after the generator is done.
Result<Shot> shoot_once(const Seat& seat, Generators& generators, std::uint32_t packets,
                        bool forward) {
    constexpr int kReadings = 20;
    constexpr auto kBetween = std::chrono::milliseconds(5);
    Shot shot;
    WEIR_TRY(const NetCounts before, read_counts(seat));
    WEIR_TRY(shot.sent, generators.send(*seat.lab, packets));
    for (int reading = 0; reading < kReadings; reading++) {
        WEIR_TRY(const NetCounts now, read_counts(seat));
        shot.counts = since(before, now, shot.sent.packets);
        if (disagreement(shot.counts, forward).empty()) {
            break;
        }
        std::this_thread::sleep_for(kBetween);
    }
    const std::uint64_t wanted = packets * generators.cpus().size();
    const std::string wrong = shot.sent.packets == wanted
                                  ? disagreement(shot.counts, forward)
                                  : fmt::format("the generator sent {}", shot.sent.packets);
    if (!wrong.empty()) {
        shot.void_because =
            fmt::format("void, for the counts of {} packets disagree: {}", wanted, wrong);
    }
    return shot;
}

} // namespace

Result<Seat> Seat::take(const Peer& peer, const NetJob& job, int number, std::uint32_t queues) {
    Seat seat{&peer};
    WEIR_TRY(auto lab, Lab::make(number, queues));
    seat.lab = std::make_unique<Lab>(std::move(lab));
    WEIR_CHECK(seat.lab->enter(Lab::Place::kSink));
    WEIR_TRY(auto sink, CountingProgram::drop(seat.lab->sink(), false));
    seat.sink = std::make_unique<CountingProgram>(std::move(sink));
    WEIR_CHECK(seat.lab->enter(Lab::Place::kDevice));
    auto device = peer.set_up(*seat.lab, job);
    if (device) {
        seat.device = *std::move(device);
    } else {
        seat.refused = device.error().message();
    }
    return seat;
}

Result<Shot> shoot(const Seat& seat, Generators& generators, std::uint32_t packets, bool forward) {
    constexpr std::uint32_t kRepeats = 4;
    WEIR_TRY(Shot shot, shoot_once(seat, generators, packets, forward));
    for (std::uint32_t again = 1;
         again <= kRepeats && !shot.void_because.empty() && only_lost(shot.counts, forward);
         again++) {
        WEIR_TRY(shot, shoot_once(seat, generators, packets, forward));
        shot.repeated = again;
    }
    return shot;
}

} // namespace weir::bench
