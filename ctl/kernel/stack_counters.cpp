#include "kernel/stack_counters.h"

#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <sstream>
#include <string_view>
#include <utility>

namespace weir::kernel {
namespace {

Result<std::string> read_file(const char* path) {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    if (!file) {
        return fail_errno(path, errno);
    }
    return text.str();
}

std::vector<std::string> words_of(const std::string& line) {
    std::istringstream stream(line);
    std::vector<std::string> words;
    for (std::string word; stream >> word;) {
        words.push_back(word);
    }
    return words;
}

using Place = std::uint64_t UdpCounters::*;
constexpr std::array<std::pair<std::string_view, Place>, 3> kPlaces = {
    {{"NoPorts", &UdpCounters::no_ports},
     {"RcvbufErrors", &UdpCounters::full_buffers},
     {"InCsumErrors", &UdpCounters::bad_checksums}}};

void add(std::string_view name, const std::string& value, UdpCounters& into) {
    for (const auto& [of, place] : kPlaces) {
        if (name == of) {
            into.*place += std::stoull(value);
        }
    }
}

} // namespace

// A line for each CPU, of hexadecimal columns (net/core/net-procfs.c); the 13th is its number
// (5.10).
std::vector<Softnet> parse_softnet(const std::string& text) {
    enum Column { kProcessed, kDropped, kSqueezed, kSteered = 9, kLimited, kWaiting, kCpu };
    constexpr int kHexadecimal = 16;
    std::vector<Softnet> all;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        const auto words = words_of(line);
        const auto number = [&](std::size_t at) {
            return at < words.size() ? std::stoull(words[at], nullptr, kHexadecimal) : 0;
        };
        if (words.size() > 1) {
            all.push_back({.cpu = words.size() > kCpu ? static_cast<std::uint32_t>(number(kCpu))
                                                      : static_cast<std::uint32_t>(all.size()),
                           .processed = number(kProcessed),
                           .dropped = number(kDropped),
                           .squeezed = number(kSqueezed),
                           .steered = number(kSteered),
                           .limited = number(kLimited),
                           .waiting = number(kWaiting)});
        }
    }
    return all;
}

Result<std::vector<Softnet>> softnet() {
    WEIR_TRY(const auto text, read_file("/proc/net/softnet_stat"));
    return parse_softnet(text);
}

// Two lines for each protocol: "Udp: NoPorts …" has the names, the next "Udp: 0 …" the values.
void add_snmp(const std::string& text, UdpCounters& into) {
    std::vector<std::string> names;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        auto words = words_of(line);
        if (words.empty() || (words[0] != "Udp:" && words[0] != "UdpLite:")) {
            continue;
        }
        if (names.empty()) {
            names = std::move(words);
            continue;
        }
        for (std::size_t i = 1; i < words.size() && i < names.size(); i++) {
            add(names[i], words[i], into);
        }
        names.clear();
    }
}

// "Udp6NoPorts   0", a counter a line.
void add_snmp6(const std::string& text, UdpCounters& into) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        const auto words = words_of(line);
        if (words.size() != 2) {
            continue;
        }
        for (const std::string_view protocol : {"UdpLite6", "Udp6"}) {
            if (std::string_view(words[0]).starts_with(protocol)) {
                add(std::string_view(words[0]).substr(protocol.size()), words[1], into);
            }
        }
    }
}

Result<UdpCounters> udp_counters() {
    UdpCounters counters;
    WEIR_TRY(const auto snmp, read_file("/proc/net/snmp"));
    add_snmp(snmp, counters);
    if (const auto snmp6 = read_file("/proc/net/snmp6")) { // a kernel without IPv6 has none
        add_snmp6(*snmp6, counters);
    }
    return counters;
}

Result<std::uint32_t> network_namespace() {
    struct stat status {};
    if (stat("/proc/self/ns/net", &status) != 0) {
        return fail_errno("/proc/self/ns/net", errno);
    }
    return static_cast<std::uint32_t>(status.st_ino);
}

} // namespace weir::kernel
