#pragma once

#include "presets/preset.h"
#include "verbs/verb.h"

namespace weir::verbs {

// Rows of `weir top @lb`, from the counters and the flow table of the Weir that is loaded.
Result<presets::Sampler> lb_sampler(const Context& cx);

} // namespace weir::verbs
