#include "bench/net/net_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "bench/cpus.h"
#include "bench/net/seat.h"

namespace weir::bench {
namespace {

using Progress = std::function<void(const std::string&)>;

// What a peer's rounds on some CPUs gave.
struct Samples {
    std::string refused;
    std::vector<double> cpu_ns = {}, packets_per_second = {};
    NetCounts counts = {};
    std::uint32_t repeated = 0;
};

// The last so many CPUs, by number; and behind these each of them that is not there alone, as one
// may be faster than another.
std::vector<std::vector<unsigned>> sets_of(const std::vector<std::uint32_t>& numbers,
                                           const std::vector<unsigned>& allowed) {
    std::vector<std::vector<unsigned>> sets;
    for (const std::uint32_t number : numbers) {
        sets.emplace_back(allowed.end() - number, allowed.end());
    }
    if (numbers.front() == 1) {
        const std::vector<unsigned> most = sets.back();
        for (std::size_t i = 0; i + 1 < most.size(); i++) {
            sets.push_back({most[i]});
        }
    }
    return sets;
}

// A job and a size, which all peers take turns at.
class Trial {
public:
    // On each of `cpus`, numbers of CPUs.
    static Result<Trial> prepare(const NetJob& job, std::uint32_t size,
                                 const std::vector<std::uint32_t>& cpus, const NetOptions& options,
                                 const std::vector<unsigned>& allowed,
                                 const std::vector<Seat>& seats);

    // Round 0 warms up: it fills flow tables and caches, and its counts must agree, too.
    Result<> run(std::uint32_t round, const Progress& progress);
    std::vector<NetCase> cases() const;

private:
    // By seat and set of CPUs.
    using Board = std::vector<std::vector<Samples>>;

    Trial(const NetJob& job, std::uint32_t size, const NetOptions& options,
          const std::vector<Seat>& seats)
        : job_(job), size_(size), options_(options), seats_(seats) {}
    const Samples* floor_of(std::size_t seat, std::size_t cpus) const;
    std::optional<Figure> efficiency(std::size_t seat, std::size_t cpus) const;
    NetCase case_of(std::size_t seat, std::size_t cpus) const;

    const NetJob& job_;
    std::uint32_t size_;
    const NetOptions& options_;
    const std::vector<Seat>& seats_;
    std::vector<Generators> generators_ = {}; // by set of CPUs
    std::size_t shown_ = 0; // of these sets; those behind only tell what a CPU does alone
    Board board_ = {};
};

Result<Trial> Trial::prepare(const NetJob& job, std::uint32_t size,
                             const std::vector<std::uint32_t>& cpus, const NetOptions& options,
                             const std::vector<unsigned>& allowed, const std::vector<Seat>& seats) {
    Trial trial(job, size, options, seats);
    trial.shown_ = cpus.size();
    for (const auto& set : sets_of(cpus, allowed)) {
        WEIR_TRY(auto made, Generators::make(net_traffic(job, size, options.flows), set));
        trial.generators_.push_back(std::move(made));
    }
    for (const Seat& seat : seats) {
        trial.board_.emplace_back(trial.generators_.size(), Samples{seat.refused});
    }
    return trial;
}

Result<> Trial::run(std::uint32_t round, const Progress& progress) {
    const std::uint32_t packets = round == 0 ? std::max(options_.flows, 1000U) : options_.packets;
    for (std::size_t i = 0; i < seats_.size(); i++) {
        for (std::size_t cpus = 0; cpus < generators_.size(); cpus++) {
            Samples& samples = board_[i][cpus];
            if (!samples.refused.empty()) {
                continue;
            }
            progress(fmt::format("round {} of {}: {}, {} octets, {}", round, options_.rounds,
                                 job_.name, size_, seats_[i].peer->name));
            WEIR_TRY(Shot shot, shoot(seats_[i], generators_[cpus], packets, job_.forward));
            samples.refused = std::move(shot.void_because);
            samples.repeated += shot.repeated;
            if (round > 0) {
                samples.cpu_ns.push_back(shot.sent.cpu_ns);
                samples.packets_per_second.push_back(shot.sent.packets_per_second);
                samples.counts += shot.counts;
            }
        }
    }
    return {};
}

// Of the same mode; what runs in the kernel's stack is compared with the fastest.
const Samples* Trial::floor_of(std::size_t seat, std::size_t cpus) const {
    const Samples* best = nullptr;
    for (std::size_t i = 0; i < seats_.size(); i++) {
        const Samples& samples = board_[i][cpus];
        if (seats_[i].peer->name != kFloor || !samples.refused.empty()) {
            continue;
        }
        if (seats_[i].peer->mode == seats_[seat].peer->mode) {
            return &samples;
        }
        best = best == nullptr ? &samples : best;
    }
    return best;
}

// Of what its CPUs send together to what each of them sends alone. None for one, and where it is
// not known.
std::optional<Figure> Trial::efficiency(std::size_t seat, std::size_t cpus) const {
    if (generators_[cpus].cpus().size() == 1) {
        return std::nullopt;
    }
    const std::vector<double>& together = board_[seat][cpus].packets_per_second;
    std::vector<double> alone(together.size());
    for (const unsigned cpu : generators_[cpus].cpus()) {
        const auto its =
            std::find_if(generators_.begin(), generators_.end(),
                         [&](const auto& each) { return each.cpus() == std::vector{cpu}; });
        if (its == generators_.end()) {
            return std::nullopt;
        }
        const Samples& samples = board_[seat][static_cast<std::size_t>(its - generators_.begin())];
        if (!samples.refused.empty()) {
            return std::nullopt;
        }
        std::transform(alone.begin(), alone.end(), samples.packets_per_second.begin(),
                       alone.begin(), std::plus<>());
    }
    return ratio_of(together, alone);
}

NetCase Trial::case_of(std::size_t seat, std::size_t cpus) const {
    const Peer& peer = *seats_[seat].peer;
    const auto number = static_cast<std::uint32_t>(generators_[cpus].cpus().size());
    NetCase each{.job = job_.name,
                 .peer = peer.name,
                 .what = peer.what,
                 .mode = peer.mode,
                 .size = size_,
                 .flows = options_.flows,
                 .cpus = number};
    const Samples& samples = board_[seat][cpus];
    if (!samples.refused.empty()) {
        each.refused = samples.refused;
        return each;
    }
    NetMeasured& measured = each.measured.emplace();
    measured.packets_per_second = figure_of(samples.packets_per_second);
    measured.cpu_ns = figure_of(samples.cpu_ns);
    measured.counts = samples.counts;
    measured.repeated = samples.repeated;
    if (const Samples* floor = floor_of(seat, cpus); floor != nullptr) {
        measured.ratio = ratio_of(samples.cpu_ns, floor->cpu_ns);
    }
    measured.efficiency = efficiency(seat, cpus);
    return each;
}

std::vector<NetCase> Trial::cases() const {
    std::vector<NetCase> cases;
    for (std::size_t cpus = 0; cpus < shown_; cpus++) {
        for (std::size_t seat = 0; seat < seats_.size(); seat++) {
            cases.push_back(case_of(seat, cpus));
        }
    }
    return cases;
}

// The peers of each contest, in labs of their own.
Result<std::vector<std::vector<Seat>>> take_seats(const std::vector<NetContest>& contests,
                                                  const NetOptions& options,
                                                  const std::vector<unsigned>& allowed,
                                                  const Progress& progress) {
    const std::uint32_t queues = options.cpus.back() > 1 ? allowed.back() + 1 : 1;
    std::vector<std::vector<Seat>> seats;
    int labs = 0;
    for (const NetContest& contest : contests) {
        seats.emplace_back();
        for (const Peer& peer : contest.peers) {
            progress(fmt::format("{}: {}", contest.job.name, peer.name));
            WEIR_TRY(Seat seat, Seat::take(peer, contest.job, ++labs, queues));
            seats.back().push_back(std::move(seat));
        }
    }
    return seats;
}

Result<std::vector<NetCase>> run_rounds(const std::vector<NetContest>& contests,
                                        const NetOptions& options,
                                        const std::vector<unsigned>& allowed,
                                        const Progress& progress) {
    WEIR_TRY(const auto seats, take_seats(contests, options, allowed, progress));
    const auto smallest = std::min_element(options.sizes.begin(), options.sizes.end());
    std::vector<Trial> trials;
    for (std::size_t i = 0; i < contests.size(); i++) {
        for (const std::uint32_t& size : options.sizes) {
            const std::vector cpus =
                size == *smallest ? options.cpus : std::vector{options.cpus.front()};
            WEIR_TRY(Trial trial,
                     Trial::prepare(contests[i].job, size, cpus, options, allowed, seats[i]));
            trials.push_back(std::move(trial));
        }
    }
    for (std::uint32_t round = 0; round <= options.rounds; round++) {
        for (Trial& trial : trials) {
            WEIR_CHECK(trial.run(round, progress));
        }
    }
    std::vector<NetCase> cases;
    for (const Trial& trial : trials) {
        const auto its = trial.cases();
        cases.insert(cases.end(), its.begin(), its.end());
    }
    return cases;
}

} // namespace

Result<std::vector<NetCase>> run_contests(const std::vector<NetContest>& contests,
                                          const NetOptions& options, const Progress& progress) {
    WEIR_TRY(const auto allowed, allowed_cpus()); // asked before it stays on one of them
    WEIR_CHECK(stay_on({allowed.back()}));
    auto cases = run_rounds(contests, options, allowed, progress);
    WEIR_CHECK(stay_on(allowed));
    return cases;
}

} // namespace weir::bench
