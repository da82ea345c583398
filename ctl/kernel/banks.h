#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <set>
#include <span>

#include "base/result.h"
#include "kernel/bpf.h"
#include "kernel/node.h"

// Tables of generations that lie one behind the other in one map (BankMap in maps/abi.h).
namespace weir::kernel {

template <typename Value>
class Banks {
public:
    static Result<Banks> open(const Node& node, const maps::BankMap<Value>& map,
                              Mapping::Access access) {
        WEIR_TRY(Mapping mapping, Mapping::of(node.map(map.name), access));
        return Banks(std::move(mapping));
    }

    // The table of a generation whose record names this place.
    std::span<Value> at(std::uint32_t first) const {
        const auto bytes = mapping_.bytes();
        const std::span all(reinterpret_cast<Value*>(bytes.data()), bytes.size() / sizeof(Value));
        return first > all.size() - length() ? std::span<Value>() : all.subspan(first, length());
    }

    // A table that is none of those, filled: the values, then zeros. No packet reads it any more: a change
    // begins by waiting for those that know a record which is not kept (docs/adr/0003-generations.md).
    std::uint32_t build(const std::set<std::uint32_t>& taken, std::span<const Value> values) {
        std::uint32_t first = 0;
        while (taken.contains(first)) {
            first += length();
        }
        const auto table = at(first);
        std::fill(std::copy(values.begin(), values.end(), table.begin()), table.end(), Value{});
        return first;
    }

    bool holds(std::uint32_t first, std::span<const Value> values) const {
        const auto table = at(first);
        static const Value kNone{};
        return values.size() <= table.size() &&
               std::memcmp(table.data(), values.data(), values.size_bytes()) == 0 &&
               std::ranges::all_of(table.subspan(values.size()), [](const Value& each) {
                   return std::memcmp(&each, &kNone, sizeof(Value)) == 0;
               });
    }

    std::uint32_t length() const {
        return static_cast<std::uint32_t>(mapping_.bytes().size() / sizeof(Value) / TABLE_POOL);
    }

private:
    explicit Banks(Mapping mapping) : mapping_(std::move(mapping)) {}
    Mapping mapping_;
};

} // namespace weir::kernel
