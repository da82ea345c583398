#include "presets/lb.h"

#include "presets/all.h"
#include "presets/tcp.h"

namespace weir::presets {
namespace {

// What `weir top` reads from Weir's own maps, in the order of the columns.
std::vector<Cell> lb_row(const Counted& counted) {
    std::vector<Cell> cells = counted.keys;
    for (const std::uint64_t each : counted.read) {
        cells.push_back(cell(each));
    }
    cells.resize(12, {"-", nullptr}); // of a backend, what only services have
    return cells;
}

} // namespace

Result<Preset> lb() {
    using output::Align;
    Preset preset{.name = "lb", .interval = 1, .of_weir = true};
    WEIR_TRY(auto words, sent_resets());
    const std::size_t resets = words.size();
    for (trace::StepWords each : sent_again()) {
        words.push_back(std::move(each));
    }
    for (std::size_t i = 0; i < words.size(); i++) {
        const LbAnswer answer = i < resets ? LbAnswer::kReset : LbAnswer::kSentAgain;
        words[i].values =
            std::to_string(static_cast<std::uint64_t>(answer)) + ", " + words[i].values;
        words[i].sink = trace::Sink::kCount;
    }
    WEIR_TRY(preset.steps, trace::parse_steps(words));
    preset.view = {.columns = {{"SERVICE", "service"},
                               {"BACKEND", "backend"},
                               {"WEIGHT", "weight", Align::kRight},
                               {"TRACKED", "tracked", Align::kRight},
                               {"NEW", "new", Align::kRight},
                               {"PACKETS", "packets", Align::kRight},
                               {"OCTETS", "octets", Align::kRight},
                               {"RESETS", "resets", Align::kRight},
                               {"RETRANS", "retransmitted", Align::kRight},
                               {"DROPPED", "dropped", Align::kRight},
                               {"HOT", "hot", Align::kRight},
                               {"OVERFLOW", "overflow", Align::kRight}},
                   .sort = 5,
                   .row = lb_row};
    return preset;
}

} // namespace weir::presets
