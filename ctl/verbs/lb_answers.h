#pragma once

#include <map>

#include "kernel/node.h"
#include "model/config.h"
#include "presets/preset.h"

namespace weir::verbs {

// TCP segments that backends sent from a VIP.
struct Answers {
    std::uint64_t resets = 0;
    std::uint64_t sent_again = 0;
};

// By the handle of the service, and of the backend: that to which Weir sends what the client sends.
// `events`: what @lb traced, with keys as in presets/lb.h.
Result<std::map<model::Handle, Answers>> answers_of(const kernel::Node& node,
                                                    const model::Config& config,
                                                    const std::vector<presets::Counted>& events);

} // namespace weir::verbs
