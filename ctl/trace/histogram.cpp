#include "trace/histogram.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace weir::trace {
namespace {

constexpr std::size_t kBar = 40;

struct Line {
    Range range;
    std::uint64_t count = 0;
};

// 0 and 1 share a line of log2, as everywhere.
std::vector<Line> lines_of(const Scale& scale,
                           const std::map<std::uint32_t, std::uint64_t>& slots) {
    std::vector<Line> lines;
    const std::uint32_t first = scale.kind == TRACE_LOG2 ? 0 : slots.begin()->first;
    for (std::uint32_t slot = first; slot <= slots.rbegin()->first; slot++) {
        const auto found = slots.find(slot);
        const std::uint64_t count = found == slots.end() ? 0 : found->second;
        const Range range = range_of(scale, slot);
        if (scale.kind == TRACE_LOG2 && slot == 1) {
            lines.back().range.high = range.high;
            lines.back().count += count;
        } else {
            lines.push_back({range, count});
        }
    }
    if (scale.kind == TRACE_LOG2 && lines.size() == 1) {
        lines.front().range.high = 1;
    }
    return lines;
}

} // namespace

Range range_of(const Scale& scale, std::uint32_t slot) {
    if (scale.kind == TRACE_LINEAR) {
        const auto width = static_cast<std::int64_t>(scale.width);
        const std::int64_t low = scale.from + slot * width;
        return {low, low + width - 1};
    }
    if (slot == 0) {
        return {0, 0};
    }
    const std::uint64_t low = 1ULL << (slot - 1);
    return {static_cast<std::int64_t>(low), static_cast<std::int64_t>(low - 1 + low)};
}

std::string draw(const Scale& scale, const std::map<std::uint32_t, std::uint64_t>& slots,
                 const std::string& unit) {
    std::map<std::uint32_t, std::uint64_t> shown = slots;
    const auto negative = shown.extract(TRACE_SLOTS - 1);
    const bool log2 = scale.kind == TRACE_LOG2;
    if (!log2 && !negative.empty()) {
        shown.emplace(TRACE_SLOTS - 1, negative.mapped());
    }
    std::string text = fmt::format("{:>10}{:<15}: count     distribution\n", unit, "");
    std::vector<Line> lines;
    if (!shown.empty()) {
        lines = lines_of(scale, shown);
    }
    std::uint64_t most = log2 && !negative.empty() ? negative.mapped() : 0;
    for (const Line& line : lines) {
        most = std::max(most, line.count);
    }
    const auto bar = [&](std::uint64_t count) {
        return std::string(most == 0 ? 0 : count * kBar / most, '*');
    };
    if (log2 && !negative.empty()) {
        text += fmt::format("{:>24} : {:<8} |{:<{}}|\n", "negative", negative.mapped(),
                            bar(negative.mapped()), kBar);
    }
    for (const Line& line : lines) {
        text += fmt::format("{:>10} -> {:<10} : {:<8} |{:<{}}|\n", line.range.low, line.range.high,
                            line.count, bar(line.count), kBar);
    }
    return text;
}

} // namespace weir::trace
