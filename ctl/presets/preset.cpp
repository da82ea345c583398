#include "presets/preset.h"

#include <fmt/format.h>

#include <algorithm>

#include "presets/all.h"
#include "text/rule_text.h"

namespace weir::presets {

Cell cell(const std::string& text) {
    return {text, text};
}

Cell cell(std::uint64_t number) {
    return {std::to_string(number), number};
}

Cell cell(double number, int decimals) {
    return {fmt::format("{:.{}f}", number, decimals), number};
}

const std::vector<Entry>& all() {
    static const std::vector<Entry> entries = {
        {"hist", "rxlat", "time of packets from the stack's entry to the process", rxlat},
        {"hist", "txlat", "time of packets from the stack to the driver: qdiscs", txlat},
        {"hist", "oncpu", "time that threads run before they leave the CPU (cpudist)", oncpu},
        {"hist", "offcpu", "time that threads are off the CPU (cpudist -O)", offcpu},
        {"rate", "vfs", "calls of the file systems a second (vfsstat)", vfs},
        {"trace", "retrans", "TCP segments that are sent again, with flow and cause", retrans},
        {"trace", "resets", "TCP resets, sent and received", resets},
        {"trace", "conns", "TCP connections at their end: process, octets, duration", conns},
        {"top", "xdperr", "packets that XDP programs aborted or could not hand on", xdperr},
        {"top", "softirq", "time in softirqs by CPU", softirq},
        {"top", "qdisc", "packets, drops and time in queueing disciplines", qdisc},
        {"top", "backlog", "each CPU's queue between driver and stack: drops, squeezes, waiting",
         backlog},
        {"top", "progs", "BPF programs: runs a second, ns a run, share of a CPU, place", progs},
        {"top", "pathcost", "ns a packet in XDP programs, and in driver and stack", pathcost},
        {"top", "lb",
         "services and backends: new and moved flows, packets, what backends reset and send again",
         lb},
        {"top", "blk", "processes by their disk I/O (biotop)", blk},
        {"top", "pagecache", "processes by their use of the page cache (cachetop)", pagecache},
    };
    return entries;
}

Result<std::optional<Preset>> wished(std::string_view verb, const std::vector<std::string>& words) {
    if (words.empty() || words.front().empty() || words.front().front() != '@') {
        return std::nullopt;
    }
    const std::string_view name = std::string_view(words.front()).substr(1);
    std::vector<std::string_view> names;
    for (const Entry& entry : all()) {
        if (entry.verb != verb) {
            continue;
        }
        if (entry.name == name) {
            if (words.size() > 1) {
                return usage(fmt::format("'{}': a preset stands alone", words[1]));
            }
            WEIR_TRY(auto preset, entry.make());
            return preset;
        }
        names.push_back(entry.name);
    }
    const auto other = std::find_if(all().begin(), all().end(),
                                    [&](const Entry& entry) { return entry.name == name; });
    const std::string near = text::did_you_mean(name, names);
    const std::string mend =
        other != all().end() ? fmt::format(": it is one of `weir {} @{}`", other->verb, name)
        : !near.empty()      ? fmt::format("; did you mean '@{}'?", near)
                             : fmt::format(": there are {}", fmt::join(names, ", "));
    return usage(fmt::format("'@{}': `weir {}` has no such preset{}", name, verb, mend));
}

trace::Expression meant(const Preset& preset, trace::Expression word) {
    for (const auto& [name, meaning] : preset.by) {
        if (word.kind == trace::Expression::Kind::kName && word.text == name) {
            return *trace::parse_expression(meaning);
        }
    }
    for (trace::Expression& child : word.children) {
        child = meant(preset, std::move(child));
    }
    return word;
}

std::string list(std::string_view verb) {
    std::string lines;
    for (const Entry& entry : all()) {
        if (entry.verb == verb) {
            lines += fmt::format("  @{:<10} {}\n", entry.name, entry.summary);
        }
    }
    return lines;
}

} // namespace weir::presets
