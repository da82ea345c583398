#include <cerrno>
#include <cstring>

#include "kernel/bpf.h"
#include "kernel/node.h"
#include "kernel/refusal.h"

namespace weir::kernel {
namespace {

// A row of a per-CPU map whose value is nothing but 64-bit counters: the sum over CPUs.
template <typename Value>
Result<Value> sum(int map, std::uint32_t row) {
    static_assert(sizeof(Value) % sizeof(std::uint64_t) == 0);
    constexpr std::size_t kWords = sizeof(Value) / sizeof(std::uint64_t);
    std::vector<std::uint64_t> all(kWords * possible_cpus());
    if (bpf_map_lookup_elem(map, &row, all.data()) != 0) {
        return refusal("reading counters " + std::to_string(row), errno);
    }
    std::uint64_t total[kWords] = {};
    for (std::size_t i = 0; i < all.size(); ++i) {
        total[i % kWords] += all[i];
    }
    Value value;
    std::memcpy(&value, total, sizeof(value));
    return value;
}

} // namespace

Result<rule_count> Node::rule_hits(model::Slot slot) const {
    return sum<rule_count>(map(maps::rule_counts.name), slot);
}

Result<> Node::reset_rule_hits(model::Slot slot) {
    const std::vector<rule_count> zero(possible_cpus());
    if (bpf_map_update_elem(map(maps::rule_counts.name), &slot, zero.data(), BPF_EXIST) != 0) {
        return refusal("resetting the counters of rule slot " + std::to_string(slot), errno);
    }
    return {};
}

Result<service_count> Node::service_hits(model::Slot slot) const {
    return sum<service_count>(map(maps::service_counts.name), slot);
}

// Beside the counters each CPU keeps its ways: those are no sums.
Result<backend_count> Node::backend_hits(model::Slot slot) const {
    WEIR_TRY(const backend_count all, sum<backend_count>(map(maps::backend_counts.name), slot));
    return backend_count{.packets = all.packets,
                         .bytes = all.bytes,
                         .connections = all.connections,
                         .first = {},
                         .sum = 0,
                         .addr = {},
                         .confirmed = 0,
                         .second = {},
                         .reserved = {}};
}

Result<hook_count> Node::hook_hits(std::uint32_t iface_slot, hook h) const {
    return sum<hook_count>(map(maps::hook_counts.name), iface_slot * HOOK_COUNT + h);
}

} // namespace weir::kernel
