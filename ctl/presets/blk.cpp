#include "presets/all.h"

namespace weir::presets {
namespace {

constexpr double kKilobyte = 1024;
enum BlkKey { kBlkPid, kBlkComm, kBlkMajor, kBlkMinor, kBlkDisk, kBlkWrites };
enum BlkPlace { kBlkQueued, kBlkEnded, kBlkIssued, kBlkCompleted };

std::vector<Cell> blk_row(const Counted& counted) {
    const Counted::Totals& done = counted.places[kBlkCompleted];
    const auto& keys = counted.keys;
    const auto requests = static_cast<double>(done.events);
    return {keys[kBlkPid],
            keys[kBlkComm],
            cell(keys[kBlkWrites].value == true ? "W" : "R"),
            keys[kBlkMajor],
            keys[kBlkMinor],
            keys[kBlkDisk],
            cell(done.events),
            cell(static_cast<double>(done.sums[0]) / kKilobyte, 0),
            cell(static_cast<double>(done.sums[1]) / kMillisecond / requests, 2)};
}

} // namespace

// Columns and times as biotop(8) of bcc: from when the driver gets a request until it is completed.
// The driver may get it from another thread than the one that asked for it, so that is noted with
// the bio; a request without one (a flush) is the driver's caller's.
Result<Preset> blk() {
    using output::Align;
    Preset preset{.name = "blk", .interval = 1};
    constexpr std::uint16_t kBios = 0, kRequests = 1;
    WEIR_TRY(preset.steps,
             trace::parse_steps({{.source = "raw:block_bio_queue",
                                  .chosen = false,
                                  .values = "bio",
                                  .sink = trace::Sink::kOpen,
                                  .space = kBios},
                                 {.source = "raw:block_bio_complete",
                                  .closes = "bio",
                                  .closes_in = kBios,
                                  .chosen = false},
                                 {.source = "raw:block_rq_issue",
                                  .closes = "rq->bio",
                                  .closes_in = kBios,
                                  .must = false,
                                  .chosen = false,
                                  .values = "rq",
                                  .sink = trace::Sink::kOpen,
                                  .space = kRequests},
                                 {.source = "raw:block_rq_complete",
                                  .closes = "rq",
                                  .closes_in = kRequests,
                                  .process = "saved_pid",
                                  .values = "saved_pid, saved_comm, rq->q->disk->major, "
                                            "rq->q->disk->first_minor, rq->q->disk->disk_name, "
                                            "(rq->cmd_flags & 255) == 1, " // REQ_OP_WRITE
                                            "nr_bytes, elapsed",
                                  .sums = 2,
                                  .sink = trace::Sink::kCount}}));
    preset.view = {.columns = {{"PID", "pid"},
                               {"COMM", "comm"},
                               {"D", "direction"},
                               {"MAJ", "major"},
                               {"MIN", "minor"},
                               {"DISK", "disk"},
                               {"I/O", "requests", Align::kRight},
                               {"Kbytes", "kbytes", Align::kRight},
                               {"AVGms", "average_ms", Align::kRight}},
                   .sort = 7,
                   .row = blk_row};
    return preset;
}

} // namespace weir::presets
