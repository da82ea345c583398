#include <fmt/format.h>

#include "flow/cause.h"
#include "flow/timeline.h"
#include "verbs/all.h"
#include "verbs/following.h"

namespace weir::verbs {
namespace {

constexpr double kPatience = 10; // seconds, where none are given

void show_why(Context& cx, const flow::Packet& packet,
              const std::map<std::uint64_t, std::string>& netns) {
    const flow::Sighting& first = packet.sightings.front();
    const flow::Verdict verdict = flow::judge(packet);
    cx.out.text(fmt::format("{}\n{}\n{}: {}.\n\n", first.tuple.to_string(),
                            flow::timeline(packet, netns), first.tuple.to_string(),
                            verdict.sentence));
    cx.out.line({{"packet", first.tuple.to_string()},
                 {"hops", flow::timeline_json(packet, netns)},
                 {"fate", flow::name(verdict.fate)},
                 {"cause", verdict.cause},
                 {"mend", verdict.mend},
                 {"sentence", verdict.sentence}});
}

Result<> run_why(const po::variables_map& options, const Words& words, Context& cx) {
    WEIR_TRY(FollowWish wish, parse_following(options, words));
    wish.seconds = wish.seconds > 0 ? wish.seconds : kPatience;
    const auto netns = flow::netns_names();
    const auto none = [&] {
        const std::string sentence =
            fmt::format("no packet of it was seen in {} s: it does not reach this host's stack; "
                        "see whether it is sent at all, and `weir drops` and `ip -s link` for what "
                        "the network card drops",
                        wish.seconds);
        cx.out.text(fmt::format("{}: {}.\n\n", wish.flow.text, sentence));
        cx.out.line({{"fate", "not seen"}, {"sentence", sentence}});
    };
    return follow(cx, wish,
                  {[&](const flow::Packet& packet) { show_why(cx, packet, netns); }, none});
}

} // namespace

const Verb why{
    .path = "why",
    .operands = "FLOW",
    .summary = "follows a packet of a flow and says what became of it, why, and what mends it",
    .details =
        R"(FLOW as for `weir path`. Waits for a packet, and no longer than --seconds.

  weir why 'ip saddr 10.0.0.1 udp dport 53'
)",
    .options =
        [](po::options_description& add) { add_following(add, fmt::to_string(kPatience).c_str()); },
    .run = run_why};

} // namespace weir::verbs
