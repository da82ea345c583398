#include "presets/all.h"

namespace weir::presets {

namespace {
constexpr const char* kSwitch = "raw:sched_switch"; // (preempt, prev, next): runs as prev
// Idle threads, of which each CPU has one, all have the number 0.
constexpr const char* kPrevious = "prev->pid + (prev->pid == 0) * (cpu + 1 << 32)";
constexpr const char* kNext = "next->pid + (next->pid == 0) * (cpu + 1 << 32)";
} // namespace

Result<Preset> oncpu() {
    Preset preset{.name = "oncpu"};
    WEIR_TRY(preset.steps,
             trace::parse_steps(
                 {{.source = kSwitch, .closes = kPrevious, .sink = trace::Sink::kHistogram},
                  {.source = kSwitch,
                   .chosen = false,
                   .where = "next->pid != 0", // not idle
                   .values = kNext,
                   .sink = trace::Sink::kOpen}}));
    return preset;
}

Result<Preset> offcpu() {
    Preset preset{.name = "offcpu"};
    preset.by = {{"pid", "saved_pid"}, {"tid", "saved_tid"}, {"comm", "saved_comm"}};
    WEIR_TRY(
        preset.steps,
        trace::parse_steps(
            {{.source = kSwitch, .closes = kNext, .chosen = false, .sink = trace::Sink::kHistogram},
             {.source = kSwitch,
              .where = "prev->pid != 0",
              .values = kPrevious,
              .sink = trace::Sink::kOpen}}));
    return preset;
}

} // namespace weir::presets
