#include "kernel/generations.h"

#include <algorithm>
#include <string>
#include <utility>

#include "kernel/refusal.h"
#include "kernel/tables.h"

namespace weir::kernel {

Result<Slots> survey(const Node& node) {
    Slots slots;
    WEIR_TRY(slots.records, read_records(node));
    WEIR_TRY(const std::uint32_t live, live_slot(node));
    if (live < GENERATION_SLOTS) {
        slots.live = live;
    }
    WEIR_TRY(slots.next_number, last_number(node));
    ++slots.next_number;
    for (std::uint32_t slot = 0; slot < GENERATION_SLOTS; ++slot) {
        const std::uint64_t number = slots.records[slot].number;
        slots.next_number = std::max(slots.next_number, number + 1);
        if (slots.live && number != 0 && number < slots.records[*slots.live].number &&
            (!slots.previous || number > slots.records[*slots.previous].number)) {
            slots.previous = slot;
        }
    }
    while (slots.build == slots.live || slots.build == slots.previous) {
        ++slots.build;
    }
    return slots;
}

Result<std::vector<Kept>> Node::generations() const {
    WEIR_TRY(const Slots slots, survey(*this));
    std::vector<Kept> kept;
    for (const auto slot : {slots.live, slots.previous}) {
        if (slot) {
            const generation& record = slots.records[*slot];
            WEIR_TRY(std::string state, read_state(map(maps::states.name), record.state));
            kept.push_back({.number = record.number,
                            .slot = *slot,
                            .live = slot == slots.live,
                            .record = record,
                            .state = std::move(state)});
        }
    }
    return kept;
}

Result<std::uint64_t> Node::live_number() const {
    WEIR_TRY(const std::uint32_t live, live_slot(*this));
    if (live >= GENERATION_SLOTS) {
        return 0;
    }
    WEIR_TRY(const auto records, read_records(*this));
    return records[live].number;
}

} // namespace weir::kernel
