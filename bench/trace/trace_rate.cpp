#include "bench/trace/trace_rate.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

#include "bench/cpus.h"
#include "bench/trace/trace_case.h"
#include "trace/session.h"

namespace weir::bench {
namespace {

using std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr int kAttempts = 3; // others' work may keep the reader from its CPU for a while
constexpr double kFirst = 20'000, kStep = 1.25; // events per second
constexpr double kLasts = 0.25;                 // s of each rate

// So many a second, in bursts of a millisecond's; gives what it did a second.
double act_at(const TraceActivity& activity, double rate) {
    constexpr double kBurst = 1e-3;
    const auto start = steady_clock::now();
    double done = 0;
    while (true) {
        const double since = Seconds(steady_clock::now() - start).count();
        if (since >= kLasts) {
            return done / since;
        }
        // No more than a burst at once: what could not be done in time is not made up for.
        const double due = std::min(rate * since - done, rate * kBurst);
        if (due >= 1) {
            activity.act(static_cast<std::uint64_t>(due));
            done += static_cast<double>(static_cast<std::uint64_t>(due));
        }
    }
}

// Reads on a CPU of its own until it ends.
class Reader {
public:
    Reader(kernel::Tracer& tracer, unsigned cpu)
        : thread_([this, &tracer, cpu] {
              (void)stay_on({cpu});
              while (!stop_) {
                  (void)tracer.poll(1, [](const trace_event&) {});
              }
          }) {}
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;
    ~Reader() {
        stop_ = true;
        thread_.join();
    }

private:
    std::atomic<bool> stop_ = false;
    std::thread thread_;
};

} // namespace

Result<TraceRate> trace_rate(std::uint32_t ring_octets) {
    WEIR_TRY(const auto cpus, allowed_cpus());
    if (cpus.size() < 2) {
        return fail("one CPU: the reader and what is traced would take turns");
    }
    WEIR_TRY(const auto steps, trace::parse_steps({{.source = "tp:task:task_rename",
                                                    .values = "pid, newcomm",
                                                    .sink = trace::Sink::kEvent}}));
    const kernel::Tracer::Room room{.ring_octets = ring_octets};
    WEIR_TRY(auto session,
             trace::Session::start(trace::points_of(steps, {}), trace::Backend::kAny, room));
    const Reader reader(session.tracer(), cpus[1]);
    WEIR_CHECK(stay_on({cpus[0]}));
    const TraceActivity rename = trace_activities().front();
    TraceRate result{.ring_octets = ring_octets,
                     .event_octets = offsetof(trace_event, text) + TRACE_STRING_SIZE + 8};
    constexpr double kBehind = 0.9; // of the rate: the source gives no more
    bool more = true;
    double rate = kFirst;
    while (more && !result.lost) {
        for (int attempt = 0; attempt < kAttempts; attempt++) {
            WEIR_TRY(const kernel::TraceBooks before, session.tracer().books());
            const double done = act_at(rename, rate);
            WEIR_TRY(const kernel::TraceBooks after, session.tracer().books());
            if (after.lost + after.nested == before.lost + before.nested) {
                result.kept = std::max(result.kept, done);
                result.lost.reset();
                more = done > kBehind * rate;
                break;
            }
            result.lost = done;
        }
        rate *= kStep;
    }
    WEIR_CHECK(stay_on(cpus));
    return result;
}

} // namespace weir::bench
