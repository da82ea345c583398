#include "bench/trace/trace_run.h"

#include <ctime>
#include <fmt/format.h>
#include <map>
#include <memory>

#include "bench/process.h"
#include "trace/session.h"

namespace weir::bench {
namespace {

// What is attached, for as long as it lives.
class Probed {
public:
    static Result<Probed> by(const TraceCase& which, std::uint64_t events);
    // Refused where it did not see each of so many: its cost would be of something else.
    Result<> check(std::uint64_t hits);

private:
    std::unique_ptr<trace::Session> session_;
    std::unique_ptr<Child> peer_;
};

std::uint32_t power_of_two_over(std::uint64_t number) {
    std::uint32_t power = 1U << 16;
    while (power < number && power < (1U << 30)) {
        power *= 2;
    }
    return power;
}

Result<Probed> Probed::by(const TraceCase& which, std::uint64_t events) {
    Probed probed;
    if (!which.program.empty()) {
        // What BEGIN prints is printed when all is attached.
        WEIR_TRY(auto peer,
                 Child::start_until(
                     {"bpftrace", "-e", "BEGIN { printf(\"attached\\n\"); } " + which.program},
                     "attached\n"));
        probed.peer_ = std::make_unique<Child>(std::move(peer));
        return probed;
    }
    WEIR_TRY(const auto steps, trace::parse_steps(which.steps));
    // All events have room: nobody reads them meanwhile.
    const kernel::Tracer::Room room{.ring_octets = power_of_two_over(events * sizeof(trace_event)),
                                    .totals = 1024,
                                    .open = 1024};
    WEIR_TRY(auto session, trace::Session::start(trace::points_of(steps, {}), which.way, room));
    probed.session_ = std::make_unique<trace::Session>(std::move(session));
    return probed;
}

Result<> Probed::check(std::uint64_t hits) {
    if (peer_) {
        return peer_->check();
    }
    WEIR_TRY(const kernel::TraceBooks books, session_->tracer().books());
    if (books.taken < hits * session_->probes().size() || books.lost + books.nested > 0) {
        return fail(fmt::format("void: {} of {} hits taken, {} lost", books.taken, hits,
                                books.lost + books.nested));
    }
    return {};
}

// ns that this thread was at work: what others do meanwhile on its CPU is not the probe's.
double at_work() {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return 1e9 * static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec);
}

// ns of one.
double time_of(const TraceActivity& activity, std::uint64_t times) {
    const double start = at_work();
    activity.act(times);
    return (at_work() - start) / static_cast<double>(times);
}

struct Rounds {
    std::vector<double> costs = {}, floors = {}, ratios = {};
    std::string refused = {};
};

Result<> add_round(const TraceCase& which, const TraceActivity& activity, std::uint64_t events,
                   Rounds& rounds) {
    const std::uint64_t warm = events / 10 + 1;
    activity.act(warm);
    const double floor = time_of(activity, events);
    WEIR_TRY(auto probed, Probed::by(which, events + warm));
    activity.act(warm);
    const double with = time_of(activity, events);
    WEIR_CHECK(probed.check(events + warm));
    rounds.floors.push_back(floor);
    rounds.costs.push_back(with - floor);
    return {};
}

} // namespace

std::vector<TraceCaseResult>
run_trace_cases(const TraceOptions& options,
                const std::function<void(const std::string&)>& progress) {
    const auto activities = trace_activities();
    auto cases = trace_cases();
    std::erase_if(cases,
                  [&](const TraceCase& each) { return !options.peers && !each.program.empty(); });
    std::vector<Rounds> all(cases.size());
    for (std::uint32_t round = 0; round < options.rounds; round++) {
        std::map<std::string, double> of_weir; // costs of this round, for ratios
        for (std::size_t i = 0; i < cases.size(); i++) {
            Rounds& rounds = all[i];
            if (!rounds.refused.empty()) {
                continue;
            }
            progress(fmt::format("round {} of {}: {}", round + 1, options.rounds, cases[i].name()));
            const TraceActivity& activity = activities[cases[i].activity];
            if (auto done = add_round(cases[i], activity, options.events, rounds); !done) {
                rounds.refused = done.error().message();
                continue;
            }
            const std::string question = cases[i].backend + "/" + cases[i].recipe;
            if (cases[i].program.empty()) {
                of_weir[question] = rounds.costs.back();
            } else if (const auto weir = of_weir.find(question); weir != of_weir.end()) {
                rounds.ratios.push_back(rounds.costs.back() / weir->second);
            }
        }
    }
    std::vector<TraceCaseResult> results;
    for (std::size_t i = 0; i < cases.size(); i++) {
        TraceCaseResult result{.what = cases[i], .refused = all[i].refused};
        if (result.refused.empty()) {
            result.measured = TraceMeasured{figure_of(all[i].costs), figure_of(all[i].floors)};
            if (!all[i].ratios.empty()) {
                result.measured->ratio = figure_of(all[i].ratios);
            }
        }
        results.push_back(std::move(result));
    }
    return results;
}

} // namespace weir::bench
