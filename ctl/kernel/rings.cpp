#include "kernel/rings.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <ctime>

#include "compile/ring_change.h"
#include "kernel/banks.h"

namespace weir::kernel {
namespace {

// How long a change may take to be written, in ticks: meanwhile no bucket turns warm.
constexpr std::uint32_t kHold = 60;

std::uint32_t pages(std::uint32_t buckets) {
    return buckets / RING_PAGE;
}

bool same(const bucket& a, const bucket& b) {
    return a.current == b.current && a.base == b.base;
}

// Packets read both words of a bucket at once.
void write(std::span<bucket> to, const std::vector<bucket>& from) {
    for (std::size_t i = 0; i < from.size(); i++) {
        if (!same(to[i], from[i])) {
            auto* word = reinterpret_cast<std::uint64_t*>(&to[i]);
            std::atomic_ref(*word).store(std::bit_cast<std::uint64_t>(from[i]));
        }
    }
}

} // namespace

std::uint32_t flow_ticks() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    const auto ns = static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
                    static_cast<std::uint64_t>(now.tv_nsec);
    return static_cast<std::uint32_t>(ns >> FLOW_TICK_SHIFT);
}

Result<RingOfService> rings_of(const Node& node, const generation& record) {
    RingOfService rings;
    WEIR_TRY(const auto banks, Banks<service>::open(node, maps::service_tables, Mapping::Access::kRead));
    for (const service& each : banks.at(record.service_table)) {
        if ((each.flags & SERVICE_HERE) != 0 && each.slot != model::kNoSlot) {
            rings[each.slot] = {each.ring / RING_PAGE, each.ring_mask + 1};
        }
    }
    return rings;
}

Result<Rings> Rings::open(const Node& node, std::uint32_t idle, RingOfService live,
                          const RingOfService& kept) {
    WEIR_TRY(Mapping pages, Mapping::of(node.map(maps::rings.name), Mapping::Access::kWrite));
    WEIR_TRY(Mapping states,
             Mapping::of(node.map(maps::service_states.name), Mapping::Access::kWrite));
    Rings rings(std::move(pages), std::move(states), idle, std::move(live));
    rings.taken_.resize(rings.pages_.bytes().size() / (RING_PAGE * sizeof(bucket)));
    const RingOfService* used[] = {&rings.live_, &kept};
    for (const RingOfService* each : used) {
        for (const auto& [service, place] : *each) {
            rings.take(place);
        }
    }
    return rings;
}

std::span<bucket> Rings::at(const RingPlace& place) const {
    auto* all = reinterpret_cast<bucket*>(pages_.bytes().data());
    return {all + std::size_t{place.page} * RING_PAGE, place.buckets};
}

std::span<service_state> Rings::states() const {
    const auto bytes = states_.bytes();
    return {reinterpret_cast<service_state*>(bytes.data()), bytes.size() / sizeof(service_state)};
}

void Rings::take(const RingPlace& place) {
    std::fill_n(taken_.begin() + place.page, pages(place.buckets), true);
}

// The first run of free pages that is long enough.
Result<std::uint32_t> Rings::vacant(std::uint32_t wanted) {
    std::uint32_t run = 0;
    while (first_free_ < taken_.size() && taken_[first_free_]) {
        first_free_++;
    }
    for (std::uint32_t page = first_free_; page < taken_.size(); page++) {
        run = taken_[page] ? 0 : run + 1;
        if (run == wanted) {
            return page + 1 - wanted;
        }
    }
    return fail("no room for the rings of all services: " +
                std::to_string(taken_.size() * RING_PAGE) +
                " buckets; to raise the limit: `weir unload`, then `weir load --max-buckets N`");
}

// As packets see it: phase_of() of dataplane/lb/track.h.
bool Rings::is_warm(model::Slot service) const {
    const service_state& at = state(service);
    const std::uint32_t now = flow_ticks();
    return now - at.changed >= HOT_TICKS + idle_ &&
           static_cast<std::int32_t>(at.closing_until - now) <= 0;
}

// A bucket that turned warm while its successor is worked out would be taken for what it was.
void Rings::hold(model::Slot service) {
    service_state& at = states()[service];
    const std::uint32_t until = flow_ticks() + kHold;
    if (static_cast<std::int32_t>(until - at.closing_until) > 0) {
        std::atomic_ref(at.closing_until).store(until);
    }
}

Result<RingOfService> Rings::change(const std::vector<compile::Ring>& wanted,
                                    const std::set<std::uint32_t>& exists) {
    RingOfService places;
    for (const compile::Ring& ring : wanted) {
        const auto found = live_.find(ring.service);
        if (found == live_.end()) {
            states()[ring.service] = {}; // of another service that had the slot
        }
        const RingPlace before = found == live_.end() ? RingPlace{} : found->second;
        const auto live = at(before);
        const compile::RingClock clock{.warm = is_warm(ring.service)};
        if (clock.warm) {
            // The clock is about to start anew: what is warm by it says so itself from here on.
            write(live, compile::settle_ring(live, clock, std::vector<bool>(live.size(), true)));
        } else {
            hold(ring.service);
        }
        const std::vector<bucket> after =
            compile::change_ring(live, clock, ring.owner,
                                 [&](std::uint32_t index) { return exists.contains(index); });
        if (std::equal(after.begin(), after.end(), live.begin(), live.end(), same)) {
            places[ring.service] = before;
            continue;
        }
        RingPlace place{0, static_cast<std::uint32_t>(after.size())};
        WEIR_TRY(place.page, vacant(pages(place.buckets)));
        take(place);
        write(at(place), after);
        places[ring.service] = place;
        changed_.push_back(ring.service);
    }
    return places;
}

void Rings::start_clocks() {
    for (const model::Slot service : changed_) {
        service_state& at = states()[service];
        std::atomic_ref(at.changed).store(flow_ticks());
    }
}

void Rings::settle(const std::map<model::Slot, std::vector<bool>>& foreign) {
    for (const auto& [service, place] : live_) {
        const auto found = foreign.find(service);
        const std::vector<bool> none(place.buckets);
        const auto live = at(place);
        write(live, compile::settle_ring(live, {.warm = is_warm(service)},
                                         found == foreign.end() ? none : found->second));
    }
}

} // namespace weir::kernel
