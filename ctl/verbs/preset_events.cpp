#include "verbs/preset_events.h"

#include <fmt/format.h>

namespace weir::verbs {
namespace {

std::string padded(const std::string& text, const presets::View::Column& column) {
    return column.align == output::Align::kRight ? fmt::format("{:>{}}", text, column.width)
                                                 : fmt::format("{:<{}}", text, column.width);
}

} // namespace

presets::Cell field_cell(const trace::Field& field, const trace::Values& values,
                         const trace::Names& names) {
    auto value = trace::value_json(field, values, names);
    std::string text = value.is_string()  ? output::one_line(value.get<std::string>())
                       : value.is_array() ? trace::value_text(field, values, names)
                                          : value.dump();
    return {std::move(text), std::move(value)};
}

std::string preset_title(const presets::Preset& preset) {
    std::string title = fmt::format("{:<15}", "TIME");
    for (const presets::View::Column& column : preset.view.columns) {
        title += "  " + padded(column.title, column);
    }
    return title + "\n";
}

PresetEvent preset_event(const presets::Preset& preset, const trace_event& event,
                         const trace::Probe& probe, const trace::Names& names,
                         const TraceHeader& header) {
    presets::Counted one{.places = std::vector<presets::Counted::Totals>(preset.steps.size())};
    one.places[probe.point].events = 1;
    for (const trace::Field& field : probe.fields) {
        one.keys.push_back(field_cell(field, trace::values_of(event), names));
    }
    const std::vector<presets::Cell> cells = preset.view.row(one);
    PresetEvent made{.document = event_document(event, probe, names, ""), .line = ""};
    made.line = time_of_day(made.document["time"].get<double>(), header);
    output::Json values = output::Json::object();
    for (std::size_t i = 0; i < cells.size(); i++) {
        made.line += "  " + padded(cells[i].text, preset.view.columns[i]);
        values[preset.view.columns[i].key] = cells[i].value;
    }
    made.line += "\n";
    made.document["probe"] = "@" + preset.name;
    made.document["values"] = std::move(values);
    return made;
}

} // namespace weir::verbs
