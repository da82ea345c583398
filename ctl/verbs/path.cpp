#include <fmt/format.h>

#include "flow/timeline.h"
#include "verbs/all.h"
#include "verbs/following.h"

namespace weir::verbs {
namespace {

Result<> run_path(const po::variables_map& options, const Words& words, Context& cx) {
    WEIR_TRY(const FollowWish wish, parse_following(options, words));
    const auto netns = flow::netns_names();
    const auto show = [&](const flow::Packet& packet) {
        const flow::Sighting& first = packet.sightings.front();
        cx.out.text(fmt::format("{}, {} octets\n{}\n", first.tuple.to_string(), first.length,
                                flow::timeline(packet, netns)));
        cx.out.line({{"packet", first.tuple.to_string()},
                     {"octets", first.length},
                     {"hops", flow::timeline_json(packet, netns)}});
    };
    const auto none = [&] {
        cx.out.text(fmt::format("no packet was seen of: {}\n\n", wish.flow.text));
    };
    return follow(cx, wish, {show, none});
}

} // namespace

const Verb path{
    .path = "path",
    .operands = "FLOW",
    .summary = "a packet's way through the kernel, with the time between its hops",
    .details =
        R"(FLOW is in the words of rules, one value each: ip saddr, ip daddr, ip6 saddr, ip6 daddr (addresses
or prefixes), tcp and udp sport and dport, meta l4proto. A packet is followed from where it is first
of the flow, also when its addresses are translated, when a tunnel packs it in or out, and from one
network namespace to another. A packet inside IPIP, 6in4, 4in6 or 6in6 is of the flow too.

  weir path 'ip daddr 203.0.113.10 tcp dport 80'
  weir path 'ip saddr 10.0.0.1 ip daddr 10.0.0.2 meta l4proto icmp' -n 3
)",
    .options = [](po::options_description& add) { add_following(add, "when it is interrupted"); },
    .run = run_path};

} // namespace weir::verbs
