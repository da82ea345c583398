#include <algorithm>
#include <cerrno>
#include <iterator>
#include <map>
#include <set>
#include <span>
#include <utility>

#include "kernel/bpf.h"
#include "kernel/generations.h"
#include "kernel/node.h"
#include "kernel/objects.h"
#include "kernel/refusal.h"
#include "kernel/tables.h"

namespace weir::kernel {
namespace {

// Rings that are built together: each is a file descriptor until it lies in its pool, and 1,024 is
// a common limit of these.
constexpr std::size_t kRingsAtOnce = 256;

// Where a service's ring lies, and a digest of what it holds.
struct RingPlace {
    std::uint32_t index;
    std::uint64_t digest;
};
using RingOfService = std::map<model::Slot, RingPlace>;

// FNV-1a, 64 bits (Fowler, Noll, Vo), over words in place of octets.
std::uint64_t digest_of(const compile::Ring& ring) {
    std::uint64_t digest = 0xcbf29ce484222325ULL;
    for (const std::uint32_t word : ring.backend) {
        digest = (digest ^ word) * 0x100000001b3ULL;
    }
    return digest;
}

// Step 1: every record but the live and the previous one ends. A packet may still walk the tables
// of a record that was live a moment ago; removing its state waits until none does.
Result<> invalidate_others(const Node& node, Slots& slots) {
    for (std::uint32_t slot = 0; slot < GENERATION_SLOTS; ++slot) {
        if (slot == slots.live || slot == slots.previous) {
            continue;
        }
        slots.records[slot].number = 0;
        WEIR_CHECK(write_record(node, slot, slots.records[slot]));
        WEIR_CHECK(remove_table(node.map(maps::states.name), slot));
    }
    return {};
}

Result<std::vector<std::pair<service_key, service>>> services_of(const Node& node,
                                                                 const generation& record) {
    std::vector<std::pair<service_key, service>> services;
    if (record.service_table == NO_TABLE) {
        return services;
    }
    WEIR_TRY(const Fd table, open_table(node.map(maps::service_tables.name), record.service_table));
    WEIR_TRY(const Elements all, read_all(table.get()));
    services.resize(all.count);
    for (std::size_t i = 0; i < all.count; ++i) {
        std::memcpy(&services[i].first, all.keys.data() + i * sizeof(service_key),
                    sizeof(service_key));
        std::memcpy(&services[i].second, all.values.data() + i * sizeof(service), sizeof(service));
    }
    return services;
}

Result<RingOfService> rings_of(const Node& node, const generation& record) {
    RingOfService rings;
    WEIR_TRY(const auto services, services_of(node, record));
    for (const auto& [key, value] : services) {
        if (value.ring != NO_TABLE) {
            rings[value.slot] = {value.ring, value.ring_digest};
        }
    }
    return rings;
}

// The rings that the generations about to end name; to be asked before they are invalidated.
Result<std::set<std::uint32_t>> rings_to_end(const Node& node, const Slots& slots) {
    std::set<std::uint32_t> ending;
    for (std::uint32_t slot = 0; slot < GENERATION_SLOTS; ++slot) {
        if (slot == slots.live || slot == slots.previous || slots.records[slot].number == 0) {
            continue;
        }
        WEIR_TRY(const auto rings, rings_of(node, slots.records[slot]));
        for (const auto& [service, place] : rings) {
            ending.insert(place.index);
        }
    }
    return ending;
}

// Builds one generation's tables beside those in force.
class Builder {
public:
    Builder(const Node& node, const Slots& slots, std::set<std::uint32_t> ending_rings)
        : node_(node), slots_(slots), ending_rings_(std::move(ending_rings)) {}

    // Index of a table with these contents: the live generation's if it holds the same.
    Result<std::uint32_t> table(std::string_view pool, std::uint32_t generation::*member,
                                const Contents& contents) {
        if (contents.empty()) {
            return NO_TABLE;
        }
        if (const generation* live = slots_.live_record(); live && live->*member != NO_TABLE) {
            WEIR_TRY(const bool same, table_holds(pool, live->*member, contents));
            if (same) {
                return live->*member;
            }
        }
        std::set<std::uint32_t> taken;
        for (const auto kept : {slots_.live, slots_.previous}) {
            if (kept) {
                taken.insert(slots_.records[*kept].*member);
            }
        }
        std::uint32_t index = 0;
        while (taken.contains(index)) {
            ++index;
        }
        WEIR_CHECK(build(pool, index, contents));
        return index;
    }

    // Where each service's ring lies; one that did not change stays where it is.
    Result<RingOfService> rings(const std::vector<compile::Ring>& wanted) {
        WEIR_TRY(auto taken, kept_rings());
        WEIR_CHECK(remove_stale_rings(taken));
        RingOfService at;
        std::vector<const compile::Ring*> changed;
        for (const compile::Ring& ring : wanted) {
            const std::uint64_t digest = digest_of(ring);
            const auto live = live_rings_.find(ring.service);
            if (live != live_rings_.end() && live->second.digest == digest) {
                at[ring.service] = live->second;
            } else {
                at[ring.service] = {NO_TABLE, digest};
                changed.push_back(&ring);
            }
        }
        std::uint32_t candidate = 0;
        for (std::size_t first = 0; first < changed.size(); first += kRingsAtOnce) {
            const std::size_t end = std::min(first + kRingsAtOnce, changed.size());
            std::vector<std::uint32_t> indices;
            for (std::size_t i = first; i < end; ++i, ++candidate) {
                while (taken.contains(candidate)) {
                    ++candidate;
                }
                indices.push_back(candidate);
                at[changed[i]->service].index = candidate;
            }
            WEIR_CHECK(build_rings({changed.data() + first, end - first}, indices));
        }
        return at;
    }

private:
    Result<bool> table_holds(std::string_view pool, std::uint32_t index, const Contents& contents) {
        WEIR_TRY(const Fd there, open_table(node_.map(pool), index));
        return holds(there.get(), contents);
    }

    Result<> build(std::string_view pool, std::uint32_t index, const Contents& contents) {
        const std::string what = std::string(pool);
        WEIR_TRY(const Fd made, make_table(pool, *table_shape(pool, node_.limits())));
        if (auto filled = fill(made.get(), contents); !filled) {
            return fail(std::move(filled).error().while_("building " + what));
        }
        WEIR_CHECK(put_table(node_.map(pool), index, made.get()));
        return check(pool, index, contents);
    }

    static Contents contents_of(const compile::Ring& ring) {
        return {.array = octets_of(ring.backend), .elements = {}};
    }

    Result<> build_rings(std::span<const compile::Ring* const> rings,
                         const std::vector<std::uint32_t>& indices) {
        std::vector<Fd> made;
        for (const compile::Ring* ring : rings) {
            WEIR_TRY(Fd table,
                     make_table(maps::rings.name, *table_shape(maps::rings.name, node_.limits())));
            WEIR_CHECK(fill(table.get(), contents_of(*ring)));
            made.push_back(std::move(table));
        }
        std::vector<int> numbers;
        for (const Fd& table : made) {
            numbers.push_back(table.get());
        }
        WEIR_CHECK(put_tables(node_.map(maps::rings.name), indices, numbers));
        for (std::size_t i = 0; i < rings.size(); ++i) {
            WEIR_CHECK(check(maps::rings.name, indices[i], contents_of(*rings[i])));
        }
        return {};
    }

    // Reads back what packets will read, by the way that they will take.
    Result<> check(std::string_view pool, std::uint32_t index, const Contents& contents) {
        WEIR_TRY(const bool same, table_holds(pool, index, contents));
        if (!same) {
            return fail(std::string(pool) +
                        " reads back differently from what was written: the old "
                        "generation stays in force");
        }
        return {};
    }

    // Indices that the kept generations' services use; the live one's by service, too.
    Result<std::set<std::uint32_t>> kept_rings() {
        std::set<std::uint32_t> taken;
        for (const auto kept : {slots_.live, slots_.previous}) {
            if (!kept) {
                continue;
            }
            WEIR_TRY(auto rings, rings_of(node_, slots_.records[*kept]));
            for (const auto& [service, place] : rings) {
                taken.insert(place.index);
            }
            if (kept == slots_.live) {
                live_rings_ = std::move(rings);
            }
        }
        return taken;
    }

    // A ring takes 256 KiB, and there may be thousands: what no kept generation names goes. One
    // that a killed command left behind goes when its place is used again.
    Result<> remove_stale_rings(const std::set<std::uint32_t>& taken) {
        std::vector<std::uint32_t> stale;
        std::set_difference(ending_rings_.begin(), ending_rings_.end(), taken.begin(), taken.end(),
                            std::back_inserter(stale));
        return retire_tables(maps::rings.name, node_.map(maps::rings.name), stale, node_.limits());
    }

    const Node& node_;
    const Slots& slots_;
    std::set<std::uint32_t> ending_rings_;
    RingOfService live_rings_;
};

template <typename Value>
Contents array_of(const std::vector<Value>& values) {
    return {.array = octets_of(values), .elements = {}};
}

template <typename Key, typename Value>
Contents table_of(const std::vector<std::pair<Key, Value>>& pairs) {
    return {.array = {}, .elements = elements_of(pairs)};
}

Result<std::vector<backend>> backend_array(const compile::Balancer& balancer,
                                           const model::Limits& limits) {
    std::vector<backend> all(balancer.backends.empty() ? 0 : limits.backends);
    for (const auto& [slot, value] : balancer.backends) {
        if (slot >= all.size()) {
            return fail("limit " + std::to_string(limits.backends) +
                        " backends: load again with `weir load --max-backends N`");
        }
        all[slot] = value;
    }
    return all;
}

Result<generation> build_tables(Builder& builder, compile::Images& images,
                                const model::Limits& limits) {
    generation record = images.settings;
    WEIR_TRY(record.fw_image, builder.table(maps::fw_images.name, &generation::fw_image,
                                            array_of(images.firewall.nodes)));
    WEIR_TRY(record.set4_table, builder.table(maps::set4_tables.name, &generation::set4_table,
                                              table_of(images.sets.v4)));
    WEIR_TRY(record.set6_table, builder.table(maps::set6_tables.name, &generation::set6_table,
                                              table_of(images.sets.v6)));
    WEIR_TRY(record.set_port_table,
             builder.table(maps::set_port_tables.name, &generation::set_port_table,
                           array_of(images.sets.ports)));

    WEIR_TRY(const RingOfService ring_at, builder.rings(images.balancer.rings));
    for (auto& [key, value] : images.balancer.services) {
        const auto found = ring_at.find(value.slot);
        value.ring = found == ring_at.end() ? NO_TABLE : found->second.index;
        value.ring_digest = found == ring_at.end() ? 0 : found->second.digest;
    }
    WEIR_TRY(record.service_table,
             builder.table(maps::service_tables.name, &generation::service_table,
                           table_of(images.balancer.services)));
    WEIR_TRY(const auto backends, backend_array(images.balancer, limits));
    WEIR_TRY(record.backend_table, builder.table(maps::backend_tables.name,
                                                 &generation::backend_table, array_of(backends)));
    return record;
}

Result<> zero(int map, const std::vector<model::Slot>& slots) {
    if (slots.empty()) {
        return {};
    }
    WEIR_TRY(const bpf_map_info info, map_info(map));
    const auto keys = octets_of(slots);
    // Values of per-CPU maps are multiples of 8 octets here, and stand once a CPU.
    return update_all(map, {.count = static_cast<std::uint32_t>(slots.size()),
                            .keys = {keys.begin(), keys.end()},
                            .values = std::vector<std::uint8_t>(std::size_t{info.value_size} *
                                                                possible_cpus() * slots.size())});
}

// The text says what the record means; both are read back by generations().
Result<> check_record(const Node& node, std::uint32_t slot, const generation& wanted) {
    WEIR_TRY(const auto records, read_records(node));
    if (std::memcmp(&records[slot], &wanted, sizeof(wanted)) != 0) {
        return fail("the generation record reads back differently from what was written: the old "
                    "generation stays in force");
    }
    return {};
}

} // namespace

Result<std::uint64_t> Node::publish(compile::Images images, const model::FreshSlots& fresh,
                                    const std::string& state) {
    WEIR_TRY(Slots slots, survey(*this));
    WEIR_TRY(auto ending_rings, rings_to_end(*this, slots));
    WEIR_CHECK(invalidate_others(*this, slots));
    Builder builder(*this, slots, std::move(ending_rings));
    WEIR_TRY(generation record, build_tables(builder, images, limits_));
    WEIR_CHECK(zero(map(maps::rule_counts.name), fresh.rules));
    WEIR_CHECK(zero(map(maps::service_counts.name), fresh.services));
    WEIR_CHECK(zero(map(maps::backend_counts.name), fresh.backends));

    record.state = slots.build;
    WEIR_CHECK(put_state(map(maps::states.name), record.state, state));
    record.number = 0;
    WEIR_CHECK(write_record(*this, slots.build, record));
    record.number = slots.next_number;
    WEIR_CHECK(write_record(*this, slots.build, record));
    WEIR_CHECK(check_record(*this, slots.build, record));
    WEIR_CHECK(turn_to(*this, slots.build));
    return record.number;
}

} // namespace weir::kernel
