#include <map>
#include <memory>
#include <numeric>

#include "kernel/program_times.h"
#include "kernel/stack_counters.h"
#include "presets/all.h"

namespace weir::presets {
namespace {

using kernel::ProgramTimes;

// What programs did since they were last looked at. The kernel counts for as long as this lives.
class Programs {
public:
    Result<std::vector<ProgramTimes>> since() {
        if (!counting_) {
            WEIR_TRY(counting_, kernel::count_run_times());
        }
        WEIR_TRY(const auto now, kernel::program_times());
        std::vector<ProgramTimes> differences;
        for (const ProgramTimes& one : now) {
            ProgramTimes difference = one;
            if (const auto before = before_.find(one.id); before != before_.end()) {
                difference.runs -= before->second.runs;
                difference.nanoseconds -= before->second.nanoseconds;
            }
            before_[one.id] = one;
            if (difference.runs > 0) {
                differences.push_back(std::move(difference));
            }
        }
        return differences;
    }

private:
    Fd counting_;
    std::map<std::uint32_t, ProgramTimes> before_;
};

Cell a_run(std::uint64_t nanoseconds, std::uint64_t runs) {
    return runs == 0 ? Cell{"-", nullptr}
                     : cell(static_cast<double>(nanoseconds) / static_cast<double>(runs), 1);
}

// --- @progs
// -----------------------------------------------------------------------------------------

Result<> sample_programs(Programs& programs, std::vector<Counted>& rows) {
    WEIR_TRY(const auto times, programs.since());
    WEIR_TRY(const auto places, kernel::program_places());
    for (const ProgramTimes& each : times) {
        std::string where;
        for (const kernel::ProgramPlace& place : places) {
            if (place.program == each.id) {
                where += (where.empty() ? "" : ", ") + place.place;
            }
        }
        rows.push_back({.keys = {cell(std::uint64_t{each.id}), cell(each.type), cell(each.name),
                                 cell(where.empty() ? "-" : where)},
                        .read = {each.runs, each.nanoseconds}});
    }
    return {};
}

std::vector<Cell> progs_row(const Counted& counted) {
    const std::uint64_t runs = counted.read[0], nanoseconds = counted.read[1];
    std::vector<Cell> cells = counted.keys;
    cells.push_back(cell(runs));
    cells.push_back(cell(static_cast<double>(runs) / counted.seconds, 0));
    cells.push_back(a_run(nanoseconds, runs));
    cells.push_back(
        cell(kPercent * static_cast<double>(nanoseconds) / kSecond / counted.seconds, 3));
    return cells;
}

// --- @pathcost
// --------------------------------------------------------------------------------------

Result<std::uint64_t> processed() {
    WEIR_TRY(const auto all, kernel::softnet());
    return std::accumulate(
        all.begin(), all.end(), std::uint64_t{0},
        [](std::uint64_t sum, const kernel::Softnet& each) { return sum + each.processed; });
}

struct PathCost {
    Programs programs;
    std::uint64_t processed = 0;
};

// XDP programs run inside NET_RX: what is left of its time is the driver's and the stack's.
Result<> share(PathCost& path, std::vector<Counted>& rows) {
    enum Place { kEntered, kLeft };
    WEIR_TRY(const auto times, path.programs.since());
    WEIR_TRY(const std::uint64_t now, processed());
    const std::uint64_t before = std::exchange(path.processed, now);
    std::int64_t rest = rows.empty() ? 0 : rows.front().places[kLeft].sums[0];
    rows.clear();
    for (const ProgramTimes& each : times) {
        if (each.type == "xdp") {
            rest -= static_cast<std::int64_t>(each.nanoseconds);
            rows.push_back({.keys = {cell("xdp " + each.name), cell(std::uint64_t{each.id})},
                            .read = {each.runs, each.nanoseconds}});
        }
    }
    rows.push_back(
        {.keys = {cell("driver and stack"), {"-", nullptr}},
         .read = {now - before, static_cast<std::uint64_t>(std::max<std::int64_t>(rest, 0))}});
    return {};
}

std::vector<Cell> cost_row(const Counted& counted) {
    std::vector<Cell> cells = counted.keys;
    const std::uint64_t packets = counted.read[0], nanoseconds = counted.read[1];
    cells.push_back(cell(packets));
    cells.push_back(a_run(nanoseconds, packets));
    cells.push_back(
        cell(kPercent * static_cast<double>(nanoseconds) / kSecond / counted.seconds, 3));
    return cells;
}

} // namespace

// After bpftop: the kernel's own count of every program's runs and time.
Result<Preset> progs() {
    using output::Align;
    Preset preset{.name = "progs", .interval = 1};
    preset.view = {.columns = {{"ID", "id", Align::kRight},
                               {"TYPE", "type"},
                               {"NAME", "name"},
                               {"ATTACHED", "attached"},
                               {"RUNS", "runs", Align::kRight},
                               {"RUNS/s", "runs_per_second", Align::kRight},
                               {"NS/RUN", "ns_per_run", Align::kRight},
                               {"CPU%", "cpu_percent", Align::kRight}},
                   .sort = 7,
                   .row = progs_row};
    preset.sample = [programs = std::make_shared<Programs>()](std::vector<Counted>& rows) {
        return sample_programs(*programs, rows);
    };
    return preset;
}

Result<Preset> pathcost() {
    using output::Align;
    Preset preset{.name = "pathcost", .interval = 1};
    WEIR_TRY(preset.steps, trace::parse_steps({{.source = "raw:softirq_entry",
                                                .where = "vec_nr == 3", // NET_RX
                                                .values = "cpu",
                                                .sink = trace::Sink::kOpen},
                                               {.source = "raw:softirq_exit",
                                                .closes = "cpu",
                                                .where = "vec_nr == 3",
                                                .values = "elapsed",
                                                .sums = 1,
                                                .sink = trace::Sink::kCount}}));
    preset.view = {.columns = {{"PATH", "path"},
                               {"ID", "id", Align::kRight},
                               {"PACKETS", "packets", Align::kRight},
                               {"NS/PACKET", "ns_per_packet", Align::kRight},
                               {"CPU%", "cpu_percent", Align::kRight}},
                   .sort = 4,
                   .row = cost_row};
    preset.sample = [path = std::make_shared<PathCost>()](std::vector<Counted>& rows) {
        return share(*path, rows);
    };
    return preset;
}

} // namespace weir::presets
