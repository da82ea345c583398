#include <fmt/chrono.h>
#include <pwd.h>

#include <ctime>
#include <fstream>

#include "presets/all.h"

namespace weir::presets {
namespace {

enum PageKey { kPagePid, kPageUid, kPageComm };
enum PagePlace { kPageAccessed, kPageBufferDirtied, kPageAdded, kPageDirtied };

Cell user(const Cell& uid) {
    const passwd* entry = getpwuid(uid.value.get<uid_t>());
    return entry == nullptr ? uid : Cell{entry->pw_name, entry->pw_name};
}

// As cachetop(8) of bcc reckons.
std::vector<Cell> pagecache_row(const Counted& counted) {
    const auto events = [&](PagePlace place) { return counted.places[place].events; };
    const std::uint64_t hits = events(kPageAccessed) + events(kPageBufferDirtied);
    const std::uint64_t misses = events(kPageAdded) + events(kPageDirtied);
    const auto percent = [&](PagePlace place) {
        constexpr double kAll = 100;
        return kAll * static_cast<double>(events(place)) / static_cast<double>(hits + misses);
    };
    return {counted.keys[kPagePid],
            user(counted.keys[kPageUid]),
            counted.keys[kPageComm],
            cell(hits),
            cell(misses),
            cell(events(kPageBufferDirtied)),
            cell(percent(kPageAccessed), 1),
            cell(percent(kPageAdded), 1)};
}

// "Buffers", "Cached" of /proc/meminfo, in MB.
double memory(const std::string& name) {
    constexpr double kMegabyte = 1024; // in the file's kB
    std::ifstream file("/proc/meminfo");
    std::string word;
    double kilobytes = 0;
    for (std::string rest; file >> word >> kilobytes; std::getline(file, rest)) {
        if (word == name + ":") {
            return kilobytes / kMegabyte;
        }
    }
    return 0;
}

std::string heading() {
    return fmt::format("{:%H:%M:%S} Buffers MB: {:.0f} / Cached MB: {:.0f}",
                       fmt::localtime(std::time(nullptr)), memory("Buffers"), memory("Cached"));
}

} // namespace

// The functions of today that do what cachetop(8) of bcc asks for by their old names. They count
// folios, which may be several pages.
Result<Preset> pagecache() {
    using output::Align;
    Preset preset{.name = "pagecache", .interval = 5};
    const auto place = [](const char* source) {
        return trace::StepWords{
            .source = source, .values = "pid, uid, comm", .sink = trace::Sink::kCount};
    };
    WEIR_TRY(preset.steps,
             trace::parse_steps({place("fn:folio_mark_accessed"), place("fn:mark_buffer_dirty"),
                                 place("fn:filemap_add_folio"),
                                 place("tp:writeback:writeback_dirty_folio")}));
    preset.view = {.columns = {{"PID", "pid"},
                               {"UID", "uid"},
                               {"CMD", "comm"},
                               {"HITS", "hits", Align::kRight},
                               {"MISSES", "misses", Align::kRight},
                               {"DIRTIES", "dirties", Align::kRight},
                               {"READ_HIT%", "read_hit_percent", Align::kRight},
                               {"WRITE_HIT%", "write_hit_percent", Align::kRight}},
                   .sort = 3,
                   .row = pagecache_row,
                   .heading = heading};
    return preset;
}

} // namespace weir::presets
