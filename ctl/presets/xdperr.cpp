#include <cstring>

#include "presets/all.h"
#include "presets/tcp.h"

namespace weir::presets {
namespace {

// The first key of each step.
enum Where { kException, kRedirect, kDevmap, kTransmit, kEnqueue, kRun };

std::string action(std::uint64_t number) {
    constexpr std::array kNames = {"ABORTED", "DROP", "PASS", "TX", "REDIRECT"};
    return number < kNames.size() ? kNames[number] : fmt::format("{} (unknown)", number);
}

Cell error(const Cell& negative) {
    const char* name = strerrorname_np(-negative.value.get<int>());
    return cell(name == nullptr ? "-" : name);
}

struct Words {
    const char* where;
    Cell device = cell("-"), program = cell("-"), id = {"-", nullptr};
    std::string action = "REDIRECT";
    Cell error = cell("-");
    std::string to = "-";
};

constexpr std::uint64_t kNoMap = 0x7fffffff; // bpf_redirect(): the index is an interface's

Words words_of(const std::vector<Cell>& keys) {
    switch (number(keys[0])) {
    case kException: // dev, id, name, act
        return {.where = "exception",
                .device = keys[1],
                .program = keys[3],
                .id = keys[2],
                .action = action(number(keys[4]))};
    case kRedirect: // dev, id, name, err, map, index
        return {.where = "redirect",
                .device = keys[1],
                .program = keys[3],
                .id = keys[2],
                .error = error(keys[4]),
                .to = number(keys[5]) == kNoMap
                          ? fmt::format("ifindex {}", keys[6].text)
                          : fmt::format("map {} at {}", keys[5].text, keys[6].text)};
    case kDevmap: // from, to, err
        return {.where = "devmap", .device = keys[1], .error = error(keys[3]), .to = keys[2].text};
    case kTransmit: // dev, err
        return {.where = "tx", .device = keys[1], .action = "TX", .error = error(keys[2])};
    case kEnqueue: // map, cpu
        return {.where = "cpumap queue",
                .to = fmt::format("map {} CPU {}", keys[1].text, keys[2].text)};
    default:
        return {.where = "cpumap run",
                .to = fmt::format("map {} CPU {}", keys[1].text, keys[2].text)};
    }
}

std::vector<Cell> xdperr_row(const Counted& counted) {
    const Words words = words_of(counted.keys);
    std::uint64_t packets = 0;
    for (std::size_t place = 0; place < counted.places.size(); place++) {
        const Counted::Totals& totals = counted.places[place];
        packets += place <= kRedirect ? totals.events : static_cast<std::uint64_t>(totals.sums[0]);
    }
    return {cell(words.where),  words.device, words.program,  words.id,
            cell(words.action), words.error,  cell(words.to), cell(packets)};
}

} // namespace

// Tracepoints of the drivers and of the redirect code: where a packet that a program wanted to go
// somewhere was lost instead. Of what is sent in bulk the program is not known any more.
Result<Preset> xdperr() {
    using output::Align;
    Preset preset{.name = "xdperr", .interval = 1};
    const auto drops = [](const char* source, const char* values) {
        return trace::StepWords{.source = source,
                                .where = "drops > 0",
                                .values = values,
                                .sums = 1,
                                .sink = trace::Sink::kCount};
    };
    WEIR_TRY(preset.steps,
             trace::parse_steps(
                 {{.source = "raw:xdp_exception",
                   .values = "0, dev->name, xdp->aux->id, xdp->aux->name, act",
                   .sink = trace::Sink::kCount},
                  {.source = "raw:xdp_redirect_err",
                   .values = "1, dev->name, xdp->aux->id, xdp->aux->name, err, map_id, index",
                   .sink = trace::Sink::kCount},
                  drops("raw:xdp_devmap_xmit", "2, from_dev->name, to_dev->name, err, drops"),
                  drops("raw:xdp_bulk_tx", "3, dev->name, err, drops"),
                  drops("raw:xdp_cpumap_enqueue", "4, map_id, to_cpu, drops"),
                  drops("raw:xdp_cpumap_kthread", "5, map_id, cpu, drops")}));
    preset.view = {.columns = {{"WHERE", "where"},
                               {"DEV", "dev"},
                               {"PROGRAM", "program"},
                               {"ID", "id", Align::kRight},
                               {"ACTION", "action"},
                               {"ERROR", "error"},
                               {"TO", "to"},
                               {"PACKETS", "packets", Align::kRight}},
                   .sort = 7,
                   .row = xdperr_row};
    return preset;
}

} // namespace weir::presets
