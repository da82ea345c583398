#pragma once

#include <string>

#include "presets/preset.h"
#include "trace/event_text.h"
#include "verbs/trace_lines.h"

namespace weir::verbs {

// A field of an event or of totals' key, as rows of presets are made of.
presets::Cell field_cell(const trace::Field& field, const trace::Values& values,
                         const trace::Names& names);

// An event of a preset: a document like any event's, whose values are the columns; and a line under
// preset_title().
struct PresetEvent {
    output::Json document;
    std::string line;
};
PresetEvent preset_event(const presets::Preset& preset, const trace_event& event,
                         const trace::Probe& probe, const trace::Names& names,
                         const TraceHeader& header);
std::string preset_title(const presets::Preset& preset);

} // namespace weir::verbs
