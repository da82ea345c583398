#include "flow/timeline.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <filesystem>

namespace weir::flow {
namespace {

constexpr double kMicrosecond = 1000;

double us(std::uint64_t from, std::uint64_t to) {
    return static_cast<double>(to - from) / kMicrosecond;
}

std::string name_of(std::uint64_t netns, const std::map<std::uint64_t, std::string>& names) {
    const auto found = names.find(netns);
    return found != names.end() ? found->second : netns == 0 ? "" : fmt::format("net:{}", netns);
}

// "reason NO_SOCKET, function udp_rcv", and its addresses where they are new.
std::string remarks(const Sighting& sighting, const Tuple& before) {
    std::string text;
    for (const auto& [name, value] : sighting.notes) {
        text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name, value);
    }
    if (sighting.tuple.known && sighting.tuple != before) {
        text += fmt::format("{}{}{}", text.empty() ? "" : ", ", before.known ? "now " : "",
                            sighting.tuple.to_string());
    }
    return text;
}

} // namespace

std::map<std::uint64_t, std::string> netns_names() {
    std::map<std::uint64_t, std::string> names;
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator("/run/netns", none)) {
        struct stat status {};
        if (stat(entry.path().c_str(), &status) == 0) {
            names[status.st_ino] = entry.path().filename().string();
        }
    }
    struct stat own {};
    if (stat("/proc/self/ns/net", &own) == 0) {
        names.emplace(own.st_ino, "-");
    }
    return names;
}

std::string timeline(const Packet& packet, const std::map<std::uint64_t, std::string>& netns) {
    output::Table table({{"us", output::Align::kRight},
                         {"+us", output::Align::kRight},
                         {"netns"},
                         {"device"},
                         {"stage"},
                         {"at"},
                         {""}});
    const std::uint64_t begin = packet.sightings.front().time;
    std::uint64_t before = begin;
    Tuple tuple;
    for (const Sighting& each : packet.sightings) {
        table.row({fmt::format("{:.1f}", us(begin, each.time)),
                   fmt::format("{:.1f}", us(before, each.time)), name_of(each.netns, netns),
                   each.device, name(each.stage), each.at, remarks(each, tuple)});
        before = each.time;
        tuple = each.tuple.known ? each.tuple : tuple;
    }
    return table.to_string();
}

output::Json timeline_json(const Packet& packet,
                           const std::map<std::uint64_t, std::string>& netns) {
    output::Json hops = output::Json::array();
    const std::uint64_t begin = packet.sightings.front().time;
    for (const Sighting& each : packet.sightings) {
        output::Json hop{{"us", us(begin, each.time)},
                         {"cpu", each.cpu},
                         {"netns", name_of(each.netns, netns)},
                         {"device", each.device},
                         {"stage", name(each.stage)},
                         {"at", each.at},
                         {"octets", each.length}};
        if (each.tuple.known) {
            hop["packet"] = each.tuple.to_string();
        }
        for (const auto& [name, value] : each.notes) {
            hop[name] = value;
        }
        hops.push_back(std::move(hop));
    }
    return hops;
}

} // namespace weir::flow
