#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "trace/event_text.h"
#include "trace/step.h"
#include "verbs/words.h"

// What the tracing verbs have in common.
namespace weir::verbs {

// --where, --pid, --backend, --seconds, --write
void add_tracing(po::options_description& add);

// -i
void add_interval(po::options_description& add, const char* what);
// 0: not given.
Result<double> parse_interval(const po::variables_map& options);

// -n, of what prints every so often
void add_rounds(po::options_description& add);
// 0: without end.
Result<std::uint64_t> parse_rounds(const po::variables_map& options);

// The option's seconds, above 0; 0: not given.
Result<double> parse_seconds(const po::variables_map& options, const char* name);

// --ring, "64K": octets of a ring, which the kernel wants to be a power of two.
Result<std::uint32_t> parse_ring(const po::variables_map& options, std::uint32_t unless_given);

// What a session is to compute and when it is to end.
struct TraceWish {
    std::vector<trace::Source> sources;
    trace::Backend backend = trace::Backend::kAny;
    trace::Choice choice;
    double seconds = 0; // 0: until it is interrupted
    std::string file;   // of -w; empty: none
};
// Without sources, as for a preset.
Result<TraceWish> parse_limits(const po::variables_map& options);
Result<TraceWish> parse_wish(const po::variables_map& options, const Words& sources);
// "skb->len, skb->dev->name", of the option; none if it is not given.
Result<std::vector<trace::NamedExpression>> parse_values(const po::variables_map& options,
                                                         const char* option);
trace::NamedExpression named(const char* name);

// Steps at the wish's sources, all of which do the same.
std::vector<trace::Step> steps_of(const std::vector<trace::Source>& sources,
                                  const trace::Step& step);

// Interrupted, or the time is over. Ctrl-C and SIGTERM end the wait, not the process.
class TraceEnd {
public:
    TraceEnd();
    // From now on: so many seconds, or with 0 without end.
    void begin(double seconds);
    bool reached() const;
    // How long a wait may last, at most `most` ms.
    int wait_ms(int most) const;
    // Waits for so many seconds, for ever with 0; false: the end came first.
    bool wait(double seconds) const;

private:
    std::chrono::steady_clock::time_point end_ = {};
    bool ends_ = false;
};

// Attaches, says so on stderr, for scripts that wait for it, and begins the time of the wish.
// Where steps open something, there is room for kOpen at least. `ready`: called before it is said.
using Ready = std::function<Result<>(trace::Session&)>;
Result<trace::Session> start_session(const std::vector<trace::Step>& steps, const TraceWish& wish,
                                     kernel::Tracer::Room room, TraceEnd& end,
                                     const Ready& ready = {});
// What sessions of each kind have room for.
inline constexpr std::uint32_t kRingOctets = 1U << 22, kTotals = 10240, kOpen = 65536,
                               kStacks = 16384;

// What a session says at its end: events, losses, what was not probed, its own cost.
Result<output::Json> close_session(trace::Session& session);
std::string closing_text(const output::Json& closing);
// Both forms, as the last of the output.
Result<> show_closing(Context& cx, trace::Session& session);

// When what was counted is shown.
struct Rounds {
    double interval = 0;    // seconds; 0: only at the end
    std::uint64_t most = 0; // so many times; 0: without end
    bool rest = true;       // also what is counted since the last round, at the end
};
// Attaches, shows each round what was counted in it, and closes.
Result<> run_rounds(Context& cx, const std::vector<trace::Step>& steps, const TraceWish& wish,
                    const kernel::Tracer::Room& room, const Rounds& rounds,
                    const std::function<Result<>(trace::Session&, double seconds)>& show,
                    const Ready& ready = {});

} // namespace weir::verbs
