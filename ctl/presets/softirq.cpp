#include "presets/all.h"
#include "presets/tcp.h"

namespace weir::presets {
namespace {

enum SoftirqPlace { kSoftirqEntered, kSoftirqLeft };

std::string vector_name(std::uint64_t vector) { // enum of include/linux/interrupt.h
    constexpr std::array kNames = {"HI",       "TIMER",   "NET_TX", "NET_RX",  "BLOCK",
                                   "IRQ_POLL", "TASKLET", "SCHED",  "HRTIMER", "RCU"};
    return vector < kNames.size() ? kNames[vector] : std::to_string(vector);
}

std::vector<Cell> softirq_row(const Counted& counted) {
    const Counted::Totals& left = counted.places[kSoftirqLeft];
    const auto time = static_cast<double>(left.sums[0]);
    return {counted.keys[0],
            cell(vector_name(number(counted.keys[1]))),
            cell(left.events),
            cell(time / kMillisecond, 3),
            cell(time / kMicrosecond / static_cast<double>(left.events), 1),
            cell(kPercent * time / kSecond / counted.seconds, 2)};
}

} // namespace

// After softirqs(8) of bcc, by CPU. On a CPU one softirq runs at a time. Interrupts that come
// meanwhile are in its time.
Result<Preset> softirq() {
    using output::Align;
    Preset preset{.name = "softirq", .interval = 1};
    WEIR_TRY(preset.steps,
             trace::parse_steps(
                 {{.source = "raw:softirq_entry", .values = "cpu", .sink = trace::Sink::kOpen},
                  {.source = "raw:softirq_exit",
                   .closes = "cpu",
                   .values = "cpu, vec_nr, elapsed",
                   .sums = 1,
                   .sink = trace::Sink::kCount}}));
    preset.view = {.columns = {{"CPU", "cpu", Align::kRight},
                               {"VECTOR", "vector"},
                               {"COUNT", "count", Align::kRight},
                               {"TIMEms", "time_ms", Align::kRight},
                               {"AVGus", "average_us", Align::kRight},
                               {"CPU%", "cpu_percent", Align::kRight}},
                   .sort = 3,
                   .row = softirq_row};
    return preset;
}

} // namespace weir::presets
