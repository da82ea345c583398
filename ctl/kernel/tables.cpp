#include "kernel/tables.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <map>

#include "kernel/objects.h"
#include "kernel/refusal.h"
#include "maps/capture.h"

namespace weir::kernel {
namespace {

// Chunk 0 begins with the text's length: 8 octets, host order (maps/generation.h).
constexpr std::size_t kStateHeader = sizeof(std::uint64_t);

// The kernel name of a table that only fills a place.
constexpr std::string_view kRetired = "retired";

std::string_view slice(const std::vector<std::uint8_t>& all, std::size_t index, std::size_t size) {
    return {reinterpret_cast<const char*>(all.data()) + index * size, size};
}

// By key: the kernel lists elements in an order of its own.
std::vector<std::pair<std::string_view, std::string_view>>
sorted(const Elements& all, std::size_t key_size, std::size_t value_size) {
    std::vector<std::pair<std::string_view, std::string_view>> rows;
    rows.reserve(all.count);
    for (std::size_t i = 0; i < all.count; ++i) {
        rows.emplace_back(slice(all.keys, i, key_size), slice(all.values, i, value_size));
    }
    std::sort(rows.begin(), rows.end());
    return rows;
}

} // namespace

Result<Fd> open_table(int pool, std::uint32_t index) {
    __u32 id = 0;
    if (bpf_map_lookup_elem(pool, &index, &id) != 0) {
        return refusal("looking up table " + std::to_string(index), errno);
    }
    Fd fd(bpf_map_get_fd_by_id(id));
    if (!fd) {
        return refusal("opening table " + std::to_string(index), errno);
    }
    return fd;
}

Result<> put_table(int pool, std::uint32_t index, int table) {
    if (bpf_map_update_elem(pool, &index, &table, BPF_ANY) != 0) {
        return refusal("putting table " + std::to_string(index) + " into its pool", errno);
    }
    return {};
}

Result<> put_tables(int pool, const std::vector<std::uint32_t>& indices,
                    const std::vector<int>& tables) {
    const Options<bpf_map_batch_opts> settings;
    auto count = static_cast<__u32>(indices.size());
    if (count != 0 &&
        bpf_map_update_batch(pool, indices.data(), tables.data(), &count, &settings) != 0) {
        return refusal("putting tables into their pool", errno);
    }
    return {};
}

Result<> retire_tables(std::string_view pool_name, int pool,
                       const std::vector<std::uint32_t>& indices, const model::Limits& limits) {
    if (indices.empty()) {
        return {};
    }
    WEIR_TRY(const Fd empty, make_table(kRetired, *table_shape(pool_name, limits)));
    return put_tables(pool, indices, std::vector<int>(indices.size(), empty.get()));
}

Result<> remove_table(int pool, std::uint32_t index) {
    if (bpf_map_delete_elem(pool, &index) != 0 && errno != ENOENT) {
        return refusal("removing table " + std::to_string(index), errno);
    }
    return {};
}

Result<bool> holds(int table, const Contents& contents) {
    WEIR_TRY(const bpf_map_info info, map_info(table));
    if (info.type == BPF_MAP_TYPE_ARRAY) {
        WEIR_TRY(const Mapping mapping, Mapping::of(table, Mapping::Access::kRead));
        const auto there = mapping.bytes();
        const auto& wanted = contents.array;
        return wanted.size() <= there.size() &&
               std::equal(wanted.begin(), wanted.end(), there.begin()) &&
               std::all_of(there.begin() + static_cast<std::ptrdiff_t>(wanted.size()), there.end(),
                           [](std::uint8_t octet) { return octet == 0; });
    }
    WEIR_TRY(const Elements there, read_all(table));
    return there.count == contents.elements.count &&
           sorted(there, info.key_size, info.value_size) ==
               sorted(contents.elements, info.key_size, info.value_size);
}

Result<> fill(int table, const Contents& contents) {
    if (contents.array.empty()) {
        return update_all(table, contents.elements);
    }
    WEIR_TRY(const Mapping mapping, Mapping::of(table, Mapping::Access::kWrite));
    if (contents.array.size() > mapping.bytes().size()) {
        return fail("a table of " + std::to_string(contents.array.size()) +
                    " octets does not fit in its map of " + std::to_string(mapping.bytes().size()));
    }
    std::copy(contents.array.begin(), contents.array.end(), mapping.bytes().begin());
    return {};
}

Result<std::string> read_state(int pool, std::uint32_t index) {
    WEIR_TRY(const Fd table, open_table(pool, index));
    WEIR_TRY(const Mapping mapping, Mapping::of(table.get(), Mapping::Access::kRead));
    std::uint64_t length = 0;
    std::memcpy(&length, mapping.bytes().data(), kStateHeader);
    if (length > mapping.bytes().size() - kStateHeader) {
        return fail("the saved configuration is damaged: apply it again");
    }
    return std::string(reinterpret_cast<const char*>(mapping.bytes().data()) + kStateHeader,
                       length);
}

Result<> put_state(int pool, std::uint32_t index, const std::string& text) {
    auto shape = *table_shape(maps::states.name, {});
    const std::uint64_t length = text.size();
    shape.max_entries = static_cast<std::uint32_t>((kStateHeader + length) / STATE_CHUNK + 1);
    WEIR_TRY(const Fd table, make_table(maps::states.name, shape));
    std::vector<std::uint8_t> octets(kStateHeader + length);
    std::memcpy(octets.data(), &length, kStateHeader);
    std::memcpy(octets.data() + kStateHeader, text.data(), length);
    const Contents contents{.array = octets, .elements = {}};
    WEIR_CHECK(fill(table.get(), contents));
    WEIR_TRY(const bool same, holds(table.get(), contents));
    if (!same) {
        return fail("the saved configuration reads back differently from what was written");
    }
    return put_table(pool, index, table.get());
}

Result<std::vector<generation>> read_records(const Node& node) {
    WEIR_TRY(const Mapping mapping,
             Mapping::of(node.map(maps::control.name), Mapping::Access::kRead));
    const auto* word = reinterpret_cast<const struct control*>(mapping.bytes().data());
    return std::vector<generation>(std::begin(word->generation), std::end(word->generation));
}

Result<> write_record(const Node& node, std::uint32_t slot, const generation& record) {
    WEIR_TRY(const Mapping mapping,
             Mapping::of(node.map(maps::control.name), Mapping::Access::kWrite));
    auto* word = reinterpret_cast<struct control*>(mapping.bytes().data());
    word->generation[slot] = record;
    word->last = std::max(word->last, static_cast<__u32>(record.number));
    return {};
}

Result<std::uint32_t> last_number(const Node& node) {
    WEIR_TRY(const Mapping mapping,
             Mapping::of(node.map(maps::control.name), Mapping::Access::kRead));
    return reinterpret_cast<const struct control*>(mapping.bytes().data())->last;
}

Result<std::uint32_t> live_slot(const Node& node) {
    WEIR_TRY(const Mapping mapping,
             Mapping::of(node.map(maps::control.name), Mapping::Access::kWrite));
    return std::atomic_ref(reinterpret_cast<struct control*>(mapping.bytes().data())->live).load() &
           ~CAPTURE_ON;
}

Result<> turn_to(const Node& node, std::uint32_t slot) {
    WEIR_TRY(const Mapping mapping,
             Mapping::of(node.map(maps::control.name), Mapping::Access::kWrite));
    auto* word = reinterpret_cast<struct control*>(mapping.bytes().data());
    const std::atomic_ref<__u32> live(word->live);
    // The switch stays as it is; the data plane may turn it off at any moment.
    __u32 seen = live.load();
    while (!live.compare_exchange_weak(seen, slot | (seen & CAPTURE_ON))) {
    }
    return {};
}

} // namespace weir::kernel
