#include "verbs/following.h"

#include <ctime>
#include <fmt/format.h>
#include <map>
#include <optional>

#include "flow/hooks.h"
#include "kernel/programs.h"
#include "text/lexer.h"
#include "verbs/own_programs.h"

namespace weir::verbs {
namespace {

std::uint64_t monotonic() {
    constexpr std::uint64_t kSecond = 1'000'000'000;
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * kSecond +
           static_cast<std::uint64_t>(now.tv_nsec);
}

// Sightings come by two rings: out of each in the order of time, more or less.
class ByTime {
public:
    explicit ByTime(std::function<void(flow::Sighting)> each) : each_(std::move(each)) {}

    void add(flow::Sighting sighting) { waiting_.emplace(sighting.time, std::move(sighting)); }
    // What was before that time.
    void release(std::uint64_t before) {
        while (!waiting_.empty() && waiting_.begin()->first < before) {
            each_(std::move(waiting_.extract(waiting_.begin()).mapped()));
        }
    }

private:
    std::function<void(flow::Sighting)> each_;
    std::multimap<std::uint64_t, flow::Sighting> waiting_;
};

} // namespace

void add_following(po::options_description& add, const char* lasts) {
    auto option = add.add_options();
    option("number,n", po::value<std::string>()->value_name("N"), "end after so many packets [1]");
    option("seconds,d", po::value<std::string>()->value_name("S"),
           fmt::format("end after so long [{}]", lasts).c_str());
}

Result<FollowWish> parse_following(const po::variables_map& options, const Words& words) {
    auto flow = flow::parse_flow(join(words, " "));
    if (!flow) {
        return fail(Error(text::to_error(flow.error(), "").message(), Fault::kUsage));
    }
    FollowWish wish{.flow = *std::move(flow)};
    WEIR_TRY(wish.seconds, parse_seconds(options, "seconds"));
    if (options.count("number") > 0) {
        WEIR_TRY(wish.packets, parse_number(option_text(options, "number"), "-n", 1, 1'000'000));
    }
    return wish;
}

Result<> follow(Context& cx, const FollowWish& wish, const Follower& follower) {
    constexpr std::uint64_t kIdle = 300'000'000; // ns; what waits longer is shown as it is
    constexpr int kLook = 50;                    // ms
    constexpr std::uint64_t kLag = 20'000'000;   // ns; what is seen later was before what waits
    TraceWish tracing;
    tracing.seconds = wish.seconds;
    TraceEnd end;
    std::optional<OwnPrograms> own;
    const auto open_own = [&](trace::Session&) -> Result<> {
        auto opened = OwnPrograms::open(cx, wish.flow);
        if (opened && *opened) {
            own.emplace(**std::move(opened));
        } else if (!opened) {
            output::warn("Weir's own programs are not looked into: " + opened.error().message());
        }
        return {};
    };
    WEIR_TRY(const auto programs, kernel::loaded_programs(kernel::ProgramContext::kXdp));
    const auto& hooks = flow::hooks(!programs.empty());
    WEIR_TRY(const auto steps, flow::steps(hooks));
    WEIR_TRY(auto session,
             start_session(steps, tracing,
                           {.ring_octets = kRingOctets, .open = kOpen, .flows = {wish.flow.match}},
                           end, open_own));
    std::uint64_t shown = 0;
    flow::Packets packets(kIdle, [&](const flow::Packet& packet) {
        if (shown < wish.packets) {
            shown++;
            follower.each(packet);
        }
    });
    const trace::Names names = session.names();
    ByTime waiting([&](flow::Sighting sighting) { packets.add(std::move(sighting)); });
    const auto take = [&](const trace_event& event) {
        const trace::Probe& probe = session.probes().at(event.probe);
        auto sighting = flow::sighting_of(event, probe, hooks.at(probe.point), names);
        if (!own || !own->have(sighting)) {
            waiting.add(std::move(sighting));
        }
    };
    const auto look = [&](int milliseconds) -> Result<> {
        WEIR_CHECK(session.tracer().poll(milliseconds, take));
        return own ? own->poll([&](flow::Sighting each) { waiting.add(std::move(each)); })
                   : Result<>();
    };
    while (shown < wish.packets && !end.reached()) {
        WEIR_CHECK(look(end.wait_ms(kLook)));
        const std::uint64_t now = monotonic();
        waiting.release(now - kLag);
        packets.expire(now - kLag);
        if (cx.out.flush() != 0) {
            return {}; // nobody reads it any more
        }
    }
    WEIR_CHECK(look(0));
    waiting.release(~std::uint64_t{0});
    packets.finish();
    if (shown == 0) {
        follower.none();
    }
    return show_closing(cx, session);
}

} // namespace weir::verbs
