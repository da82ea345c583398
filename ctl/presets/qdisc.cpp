#include "presets/all.h"
#include "presets/tcp.h"

namespace weir::presets {
namespace {

enum QdiscPlace { kQdiscEnqueued, kQdiscOpened, kQdiscDequeued, kQdiscTimed, kQdiscDropped };
enum QdiscKey { kQdiscDevice, kQdiscKind, kQdiscHandle, kQdiscParent, kQdiscQueue };

// "8001:", "1:2", as tc(8) has it.
std::string handle(std::uint64_t number) {
    constexpr std::uint64_t kRoot = 0xffffffff;
    constexpr unsigned kMajor = 16;
    constexpr std::uint64_t kMinor = 0xffff;
    if (number == kRoot) {
        return "root";
    }
    return (number & kMinor) == 0 ? fmt::format("{:x}:", number >> kMajor)
                                  : fmt::format("{:x}:{:x}", number >> kMajor, number & kMinor);
}

std::vector<Cell> qdisc_row(const Counted& counted) {
    const auto& keys = counted.keys;
    const Counted::Totals &in = counted.places[kQdiscEnqueued],
                          &timed = counted.places[kQdiscTimed];
    return {keys[kQdiscDevice],
            keys[kQdiscKind],
            cell(handle(number(keys[kQdiscHandle]))),
            cell(handle(number(keys[kQdiscParent]))),
            keys[kQdiscQueue],
            cell(in.events),
            cell(static_cast<std::uint64_t>(in.sums[0])),
            cell(static_cast<std::uint64_t>(counted.places[kQdiscDequeued].sums[0])),
            cell(counted.places[kQdiscDropped].events),
            timed.events == 0 ? Cell{"-", nullptr}
                              : cell(static_cast<double>(timed.sums[0]) / kMicrosecond /
                                         static_cast<double>(timed.events),
                                     1)};
}

} // namespace

// What a qdisc drops is told with the packet alone: it is counted with the root qdisc of its
// device. Several packets may leave at once; the time is that of the first.
Result<Preset> qdisc() {
    using output::Align;
    Preset preset{.name = "qdisc", .interval = 1};
    const std::string keys = "txq->dev->name, qdisc->ops->id, qdisc->handle, qdisc->parent, "
                             "skb->queue_mapping";
    WEIR_TRY(preset.steps,
             trace::parse_steps(
                 {{.source = "raw:qdisc_enqueue",
                   .values = keys + ", skb->len",
                   .sums = 1,
                   .sink = trace::Sink::kCount},
                  {.source = "raw:qdisc_enqueue", .values = "skb", .sink = trace::Sink::kOpen},
                  {.source = "raw:qdisc_dequeue",
                   .where = "skb != 0",
                   .values = keys + ", packets",
                   .sums = 1,
                   .sink = trace::Sink::kCount},
                  {.source = "raw:qdisc_dequeue",
                   .closes = "skb",
                   .chosen = false,
                   .values = keys + ", elapsed",
                   .sums = 1,
                   .sink = trace::Sink::kCount},
                  // The reasons of qdiscs stand in a row, however many a kernel has.
                  {.source = "raw:kfree_skb",
                   .where = "reason >= SKB_DROP_REASON_QDISC_DROP && "
                            "reason < SKB_DROP_REASON_CPU_BACKLOG",
                   .values = "skb->dev->name, skb->dev->qdisc->ops->id, skb->dev->qdisc->handle, "
                             "skb->dev->qdisc->parent, skb->queue_mapping",
                   .sink = trace::Sink::kCount},
                  {.source = "raw:kfree_skb", .closes = "skb", .chosen = false},
                  {.source = "raw:consume_skb", .closes = "skb", .chosen = false}}));
    preset.view = {.columns = {{"DEV", "dev"},
                               {"QDISC", "qdisc"},
                               {"HANDLE", "handle"},
                               {"PARENT", "parent"},
                               {"QUEUE", "queue", Align::kRight},
                               {"QUEUED", "queued", Align::kRight},
                               {"OCTETS", "octets", Align::kRight},
                               {"SENT", "sent", Align::kRight},
                               {"DROPPED", "dropped", Align::kRight},
                               {"AVGus", "average_us", Align::kRight}},
                   .sort = 5,
                   .row = qdisc_row};
    return preset;
}

} // namespace weir::presets
