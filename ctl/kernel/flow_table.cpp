#include "kernel/flow_table.h"

#include <algorithm>
#include <atomic>
#include <span>

#include "compile/ring_change.h"
#include "kernel/banks.h"
#include "kernel/generations.h"
#include "maps/flow_hash.h"

namespace weir::kernel {
namespace {

constexpr std::uint64_t kFirst = 0xff51afd7ed558ccd;
constexpr std::uint64_t kSecond = 0xc4ceb9fe1a85ec53;

// The number with which an odd one gives 1, modulo 2^64: each step of Newton's doubles the right bits.
constexpr std::uint64_t inverse(std::uint64_t odd) {
    std::uint64_t x = odd;
    for (int i = 0; i < 6; i++) {
        x *= 2 - odd * x;
    }
    return x;
}

// What mix64() was given.
constexpr std::uint64_t unmix64(std::uint64_t value) {
    value ^= value >> 33;
    value *= inverse(kSecond);
    value ^= value >> 33;
    value *= inverse(kFirst);
    return value ^ value >> 33;
}

class Table {
public:
    static Result<Table> of(const Node& node, Mapping::Access access) {
        WEIR_TRY(Mapping mapping, Mapping::of(node.map(maps::flows.name), access));
        return Table(std::move(mapping));
    }
    std::span<flow> all() const {
        const auto bytes = mapping_.bytes();
        return {reinterpret_cast<flow*>(bytes.data()), bytes.size() / sizeof(flow)};
    }
    // Partitions: maps/balancer.h.
    FlowState state_of(const flow& entry) const {
        const auto at = static_cast<std::size_t>(&entry - all().data());
        const std::size_t established = all().size() * 4 / 9;
        return at < established       ? FlowState::kEstablished
               : at < 2 * established ? FlowState::kOnSight
                                      : FlowState::kHalfOpen;
    }
    // Packets no longer follow it: patience() of dataplane/lb/flow_table.h.
    bool lives(const flow& entry, std::uint32_t now, std::uint32_t idle) const {
        const bool closed = (entry.stamp & FLOW_CLOSED) != 0;
        const bool half_open = state_of(entry) == FlowState::kHalfOpen;
        const std::uint32_t patience = closed || half_open              ? CLOSED_TICKS
                                       : (entry.stamp & FLOW_UDP) != 0 ? UDP_TICKS
                                                                       : idle;
        // A packet may have stamped it after `now` was read.
        const auto silence = static_cast<std::int32_t>(now - (entry.stamp >> FLOW_STAMP_SHIFT));
        return entry.fingerprint > FLOW_BUSY && silence <= static_cast<std::int32_t>(patience);
    }

private:
    explicit Table(Mapping mapping) : mapping_(std::move(mapping)) {}
    Mapping mapping_;
};

Result<std::vector<backend>> backends_of(const Node& node, const generation& record) {
    std::vector<backend> all;
    WEIR_TRY(const auto banks, Banks<backend>::open(node, maps::backend_tables, Mapping::Access::kRead));
    const auto table = banks.at(record.backend_table);
    all.assign(table.begin(), table.end());
    return all;
}

const backend* find(const std::vector<backend>& backends, std::uint32_t index) {
    return index < backends.size() && backends[index].handle != 0 ? &backends[index] : nullptr;
}

Result<std::uint64_t> salt_of(const Node& node, const generation& record, model::Slot slot) {
    WEIR_TRY(const auto banks, Banks<service>::open(node, maps::service_tables, Mapping::Access::kRead));
    const auto services = banks.at(record.service_table);
    const auto found = std::ranges::find_if(services, [&](const service& each) {
        return (each.flags & SERVICE_HERE) != 0 && each.slot == slot;
    });
    return found == services.end() ? 0 : found->salt;
}

} // namespace

Result<> forget_flows_of(const Node& node, const std::vector<model::Slot>& backends) {
    if (backends.empty()) {
        return {};
    }
    WEIR_TRY(const Table table, Table::of(node, Mapping::Access::kWrite));
    for (flow& entry : table.all()) {
        __u64 there = entry.fingerprint;
        if (there > FLOW_BUSY && std::ranges::find(backends, entry.backend) != backends.end()) {
            std::atomic_ref(entry.fingerprint).compare_exchange_strong(there, 0);
        }
    }
    return {};
}

Result<std::map<model::Slot, std::vector<bool>>>
foreign_buckets(const Node& node, const Rings& rings, const RingOfService& services) {
    std::map<model::Slot, std::vector<bool>> foreign;
    WEIR_TRY(const Slots slots, survey(node));
    if (!slots.live) {
        return foreign;
    }
    const generation& record = slots.records[*slots.live];
    WEIR_TRY(const auto backends, backends_of(node, record));
    WEIR_TRY(const Table table, Table::of(node, Mapping::Access::kRead));
    const std::uint32_t now = flow_ticks();
    for (const flow& entry : table.all()) {
        const backend* named =
            table.lives(entry, now, record.idle) ? find(backends, entry.backend) : nullptr;
        const auto service = named == nullptr ? services.end() : services.find(named->service);
        if (service == services.end()) {
            continue;
        }
        const auto buckets = rings.at(service->second);
        const std::size_t at = entry.fingerprint >> 32 & (buckets.size() - 1);
        if (buckets[at].current != entry.backend) {
            foreign.try_emplace(service->first, buckets.size()).first->second[at] = true;
        }
    }
    return foreign;
}

std::uint64_t RingStatus::entries() const {
    std::uint64_t all = 0;
    for (const auto& [backend, count] : tracked) {
        all += count;
    }
    return all;
}

Result<std::map<model::Slot, RingStatus>> Node::ring_statuses() const {
    std::map<model::Slot, RingStatus> all;
    WEIR_TRY(const Slots slots, survey(*this));
    if (!slots.live) {
        return all;
    }
    const generation& record = slots.records[*slots.live];
    WEIR_TRY(const RingOfService live, rings_of(*this, record));
    WEIR_TRY(const Rings rings, Rings::open(*this, record.idle, live, {}));
    for (const auto& [service, place] : live) {
        RingStatus& status = all[service];
        status.buckets = place.buckets;
        status.overflow = rings.state(service).overflow;
        for (const bucket& each : rings.at(place)) {
            if (compile::at_rest(each)) {
                continue;
            }
            const bool warm = (each.base & BUCKET_WARM) != 0 || rings.is_warm(service);
            (warm ? status.warm : status.hot)++;
        }
    }
    WEIR_TRY(const auto backends, backends_of(*this, record));
    WEIR_TRY(const Table table, Table::of(*this, Mapping::Access::kRead));
    const std::uint32_t now = flow_ticks();
    for (const flow& entry : table.all()) {
        const backend* named =
            table.lives(entry, now, record.idle) ? find(backends, entry.backend) : nullptr;
        const auto service = named == nullptr ? all.end() : all.find(named->service);
        if (service != all.end()) {
            service->second.tracked[named->handle]++;
        }
    }
    return all;
}

Result<std::vector<TrackedFlow>> Node::flows(model::Slot service, std::size_t limit) const {
    std::vector<TrackedFlow> found;
    WEIR_TRY(const Slots slots, survey(*this));
    if (!slots.live) {
        return found;
    }
    const generation& record = slots.records[*slots.live];
    WEIR_TRY(const auto backends, backends_of(*this, record));
    WEIR_TRY(const std::uint64_t salt, salt_of(*this, record, service));
    WEIR_TRY(const Table table, Table::of(*this, Mapping::Access::kRead));
    const std::uint32_t now = flow_ticks();
    for (const flow& entry : table.all()) {
        if (limit != 0 && found.size() == limit) {
            break;
        }
        const backend* named =
            table.lives(entry, now, record.idle) ? find(backends, entry.backend) : nullptr;
        if (named == nullptr || named->service != service) {
            continue;
        }
        const std::uint64_t given = unmix64(entry.fingerprint) ^ salt;
        found.push_back({.fingerprint = entry.fingerprint,
                         .backend = named->handle,
                         .state = table.state_of(entry),
                         .udp = (entry.stamp & FLOW_UDP) != 0,
                         .closed = (entry.stamp & FLOW_CLOSED) != 0,
                         .silent = now - (entry.stamp >> FLOW_STAMP_SHIFT),
                         .client4 = static_cast<std::uint32_t>(given),
                         .sport = static_cast<std::uint16_t>(given >> 48),
                         .dport = static_cast<std::uint16_t>(given >> 32)});
    }
    return found;
}

} // namespace weir::kernel
