#include "presets/all.h"

namespace weir::presets {

namespace {
constexpr const char* kSwitch = "raw:sched_switch"; // (preempt, prev, next): runs as prev
} // namespace

Result<Preset> oncpu() {
    Preset preset{.name = "oncpu"};
    WEIR_TRY(preset.steps,
             trace::parse_steps(
                 {{.source = kSwitch, .closes = "prev->pid", .sink = trace::Sink::kHistogram},
                  {.source = kSwitch,
                   .chosen = false,
                   .where = "next->pid != 0", // not idle
                   .values = "next->pid",
                   .sink = trace::Sink::kOpen}}));
    return preset;
}

Result<Preset> offcpu() {
    Preset preset{.name = "offcpu"};
    preset.by = {{"pid", "saved_pid"}, {"tid", "saved_tid"}, {"comm", "saved_comm"}};
    WEIR_TRY(preset.steps, trace::parse_steps({{.source = kSwitch,
                                                .closes = "next->pid",
                                                .chosen = false,
                                                .sink = trace::Sink::kHistogram},
                                               {.source = kSwitch,
                                                .where = "prev->pid != 0",
                                                .values = "prev->pid",
                                                .sink = trace::Sink::kOpen}}));
    return preset;
}

} // namespace weir::presets
