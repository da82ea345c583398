#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "kernel/bpf.h"
#include "kernel/node.h"
#include "maps/generation.h"

// Pools: outer maps whose tables belong to generations.
namespace weir::kernel {

// Up to kernel 6.7 a look-up in a pool waits for packets, some 10 ms: not to be done by the
// hundred.
Result<Fd> open_table(int pool, std::uint32_t index);
Result<> put_table(int pool, std::uint32_t index, int table);
// Many at once: the kernel waits for packets once for all, not 10 ms for each.
Result<> put_tables(int pool, const std::vector<std::uint32_t>& indices,
                    const std::vector<int>& tables);
// Nothing to remove is no error. The kernel waits until no packet reads the table any more.
Result<> remove_table(int pool, std::uint32_t index);
// Frees the tables. Their places get an empty one: the kernel removes from a pool only one by one,
// and waits for packets each time.
Result<> retire_tables(std::string_view pool_name, int pool,
                       const std::vector<std::uint32_t>& indices, const model::Limits& limits);

// What a table is to hold: an array's first octets, the rest being zero, or a hash table's
// elements.
struct Contents {
    std::span<const std::uint8_t> array;
    Elements elements;
    bool empty() const { return array.empty() && elements.count == 0; }
};
Result<bool> holds(int table, const Contents& contents);
Result<> fill(int table, const Contents& contents);

// Elements of a hash table from pairs of key and value.
template <typename Key, typename Value>
Elements elements_of(const std::vector<std::pair<Key, Value>>& pairs) {
    Elements all{.count = static_cast<std::uint32_t>(pairs.size()), .keys = {}, .values = {}};
    for (const auto& [key, value] : pairs) {
        const auto* k = reinterpret_cast<const std::uint8_t*>(&key);
        const auto* v = reinterpret_cast<const std::uint8_t*>(&value);
        all.keys.insert(all.keys.end(), k, k + sizeof(key));
        all.values.insert(all.values.end(), v, v + sizeof(value));
    }
    return all;
}

// The configuration's text in the pool `states`.
Result<std::string> read_state(int pool, std::uint32_t index);
Result<> put_state(int pool, std::uint32_t index, const std::string& text);

// Every slot's record, complete or not.
Result<std::vector<generation>> read_records(const Node& node);
Result<> write_record(const Node& node, std::uint32_t slot, const generation& record);
// The highest number that a generation ever had, though its record is gone: none is given twice.
Result<std::uint32_t> last_number(const Node& node);
Result<std::uint32_t> live_slot(const Node& node);
// The one store that turns every packet.
Result<> turn_to(const Node& node, std::uint32_t slot);

} // namespace weir::kernel
