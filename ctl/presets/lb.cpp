#include "presets/all.h"

namespace weir::presets {
namespace {

// What `weir top` reads from Weir's own maps, in the order of the columns.
std::vector<Cell> row(const Counted& counted) {
    std::vector<Cell> cells = counted.keys;
    for (const std::uint64_t each : counted.read) {
        cells.push_back(cell(each));
    }
    cells.resize(9, {"-", nullptr}); // a backend drops nothing
    return cells;
}

} // namespace

Result<Preset> lb() {
    using output::Align;
    Preset preset{.name = "lb", .interval = 1};
    preset.view = {.columns = {{"SERVICE", "service"},
                               {"BACKEND", "backend"},
                               {"WEIGHT", "weight", Align::kRight},
                               {"FLOWS", "flows", Align::kRight},
                               {"NEW", "new", Align::kRight},
                               {"MOVED", "moved", Align::kRight},
                               {"PACKETS", "packets", Align::kRight},
                               {"OCTETS", "octets", Align::kRight},
                               {"DROPPED", "dropped", Align::kRight}},
                   .sort = 6,
                   .row = row};
    return preset;
}

} // namespace weir::presets
