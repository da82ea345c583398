#pragma once

#include "flow/flow_text.h"
#include "flow/packets.h"
#include "verbs/tracing.h"

// What `weir path` and `weir why` have in common: packets of a flow are followed through the
// kernel.
namespace weir::verbs {

// --seconds, --number. `lasts`: how long, where no seconds are given.
void add_following(po::options_description& add, const char* lasts);

struct FollowWish {
    flow::Flow flow;
    double seconds = 0;        // 0: until it is interrupted
    std::uint64_t packets = 1; // so many, then it ends
};
Result<FollowWish> parse_following(const po::variables_map& options, const Words& words);

// Hands over each packet that has ended, until so many have or the time is over.
struct Follower {
    std::function<void(const flow::Packet&)> each;
    std::function<void()> none; // there was not a single one
};
Result<> follow(Context& cx, const FollowWish& wish, const Follower& follower);

} // namespace weir::verbs
