#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "kernel/test_run.h"
#include "model/config.h"
#include "output/output.h"

namespace weir::verbs {

// What became of one packet, for people and for programs.
struct Story {
    std::string text;
    output::Json json;
};
Story tell_story(const model::Config& config, kernel::Program program,
                 std::span<const std::uint8_t> frame, const kernel::TestRun& run);

} // namespace weir::verbs
