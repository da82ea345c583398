#include <algorithm>
#include <memory>

#include "kernel/stack_counters.h"
#include "presets/all.h"

namespace weir::presets {
namespace {

using kernel::Softnet;

enum BacklogPlace { kBacklogQueued, kBacklogTaken };

std::vector<std::uint64_t> since(const Softnet& now, const Softnet& before) {
    return {now.processed - before.processed, now.dropped - before.dropped,
            now.squeezed - before.squeezed,   now.steered - before.steered,
            now.limited - before.limited,     now.waiting};
}

// Every CPU has a row, with what was traced there.
Result<> sample_backlog(std::vector<Softnet>& before, std::vector<Counted>& rows) {
    constexpr std::size_t kPlaces = 3;
    WEIR_TRY(const std::vector<Softnet> now, kernel::softnet());
    std::vector<Counted> all;
    for (const Softnet& one : now) {
        const auto same = [&](const Softnet& each) { return each.cpu == one.cpu; };
        const auto earlier = std::find_if(before.begin(), before.end(), same);
        Counted row{.keys = {cell(std::uint64_t{one.cpu})},
                    .places = std::vector<Counted::Totals>(kPlaces)};
        for (Counted& traced : rows) {
            if (traced.keys.front().text == row.keys.front().text) {
                row.places = traced.places;
            }
        }
        row.read = since(one, earlier == before.end() ? Softnet{} : *earlier);
        all.push_back(std::move(row));
    }
    before = now;
    rows = std::move(all);
    return {};
}

std::vector<Cell> backlog_row(const Counted& counted) {
    std::vector<Cell> cells = counted.keys;
    for (const std::uint64_t each : counted.read) {
        cells.push_back(cell(each));
    }
    const Counted::Totals& taken = counted.places[kBacklogTaken];
    cells.push_back(cell(taken.events));
    cells.push_back(taken.events == 0 ? Cell{"-", nullptr}
                                      : cell(static_cast<double>(taken.sums[0]) / kMicrosecond /
                                                 static_cast<double>(taken.events),
                                             1));
    return cells;
}

} // namespace

// What waits is a packet that netif_rx() put into the queue, until the stack takes it out.
Result<Preset> backlog() {
    using output::Align;
    Preset preset{.name = "backlog", .interval = 1};
    WEIR_TRY(
        preset.steps,
        trace::parse_steps({{.source = "raw:netif_rx", .values = "skb", .sink = trace::Sink::kOpen},
                            {.source = "raw:netif_receive_skb",
                             .closes = "skb",
                             .chosen = false,
                             .values = "cpu, elapsed",
                             .sums = 1,
                             .sink = trace::Sink::kCount},
                            {.source = "raw:kfree_skb", .closes = "skb", .chosen = false}}));
    preset.view = {.columns = {{"CPU", "cpu", Align::kRight},
                               {"PROCESSED", "processed", Align::kRight},
                               {"DROPPED", "dropped", Align::kRight},
                               {"SQUEEZED", "squeezed", Align::kRight},
                               {"RPS", "rps", Align::kRight},
                               {"LIMITED", "limited", Align::kRight},
                               {"WAITING", "waiting", Align::kRight},
                               {"QUEUED", "queued", Align::kRight},
                               {"AVGus", "average_us", Align::kRight}},
                   .sort = 1,
                   .row = backlog_row};
    preset.sample = [before = std::make_shared<std::vector<Softnet>>()](
                        std::vector<Counted>& rows) { return sample_backlog(*before, rows); };
    return preset;
}

} // namespace weir::presets
