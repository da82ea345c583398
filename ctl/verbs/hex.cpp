#include "verbs/hex.h"

#include <algorithm>
#include <fmt/format.h>

namespace weir::verbs {
namespace {

constexpr int kNoDigit = -1;

int digit(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    const char lower = static_cast<char>(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : kNoDigit;
}

bool separates(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == ':' || c == ',' || c == '-';
}

std::vector<Replaced> compare_in_place(std::span<const std::uint8_t> in,
                                       std::span<const std::uint8_t> out) {
    std::vector<Replaced> runs;
    for (std::size_t i = 0; i < in.size(); i++) {
        if (in[i] == out[i]) {
            continue;
        }
        if (runs.empty() || runs.back().in_end != i) {
            runs.push_back({i, i, i, i});
        }
        runs.back().in_end = runs.back().out_end = i + 1;
    }
    return runs;
}

} // namespace

Result<std::vector<std::uint8_t>> parse_hex(std::string_view text) {
    std::vector<std::uint8_t> octets;
    int high = kNoDigit; // the first digit of an octet, waiting for its second
    for (std::size_t i = 0; i < text.size(); i++) {
        const int value = digit(text[i]);
        const bool inside = high != kNoDigit;
        if (value == kNoDigit && (inside || !separates(text[i]))) {
            return usage(fmt::format("hex digit {}: '{}': expected {}", i + 1, text[i],
                                     inside ? "the second digit of an octet" : "0-9 or a-f"));
        }
        if (value == kNoDigit) {
            continue;
        }
        if (inside) {
            octets.push_back(static_cast<std::uint8_t>(high << 4 | value));
        }
        high = inside ? kNoDigit : value;
    }
    if (high != kNoDigit) {
        return usage("the hex digits end in the middle of an octet");
    }
    return octets;
}

std::string to_hex(std::span<const std::uint8_t> octets) {
    std::string text;
    for (const std::uint8_t octet : octets) {
        text += fmt::format("{:02x}", octet);
    }
    return text;
}

std::string hex_dump(std::span<const std::uint8_t> octets) {
    std::string text;
    for (std::size_t at = 0; at < octets.size(); at += 16) {
        text += fmt::format("\t0x{:04x}: ", at);
        const auto line = octets.subspan(at, std::min<std::size_t>(16, octets.size() - at));
        for (std::size_t i = 0; i < line.size(); i++) {
            text += fmt::format("{}{:02x}", i % 2 == 0 ? " " : "", line[i]);
        }
        text += "\n";
    }
    return text;
}

std::vector<Replaced> compare(std::span<const std::uint8_t> in, std::span<const std::uint8_t> out) {
    if (in.size() == out.size()) {
        return compare_in_place(in, out);
    }
    const std::size_t shorter = std::min(in.size(), out.size());
    // The tail first: what a tunnel carries ends as it ended before.
    std::size_t tail = 0;
    while (tail < shorter && in[in.size() - 1 - tail] == out[out.size() - 1 - tail]) {
        tail++;
    }
    std::size_t head = 0;
    while (head + tail < shorter && in[head] == out[head]) {
        head++;
    }
    return {{head, in.size() - tail, head, out.size() - tail}};
}

} // namespace weir::verbs
