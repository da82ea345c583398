#include <algorithm>
#include <cerrno>
#include <iterator>
#include <map>
#include <set>
#include <span>
#include <utility>

#include "kernel/banks.h"
#include "kernel/bpf.h"
#include "kernel/flow_table.h"
#include "kernel/generations.h"
#include "kernel/node.h"
#include "kernel/objects.h"
#include "kernel/refusal.h"
#include "kernel/rings.h"
#include "kernel/tables.h"
#include "kernel/transmitters.h"

namespace weir::kernel {
namespace {

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

// Builds one generation's tables beside those in force.
class Builder {
public:
    Builder(const Node& node, const Slots& slots) : node_(node), slots_(slots) {}

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
        const auto others = taken(member);
        std::uint32_t index = 0;
        while (others.contains(index)) {
            ++index;
        }
        WEIR_CHECK(build(pool, index, contents));
        return index;
    }

    // The same of a table that lies beside those of other generations.
    template <typename Value>
    Result<std::uint32_t> bank(const maps::BankMap<Value>& map, std::uint32_t generation::*member,
                               const std::vector<Value>& values) {
        WEIR_TRY(auto banks, Banks<Value>::open(node_, map, Mapping::Access::kWrite));
        if (const generation* live = slots_.live_record();
            live && banks.holds(live->*member, values)) {
            return live->*member;
        }
        const std::uint32_t first = banks.build(taken(member), values);
        if (!banks.holds(first, values)) {
            return fail(differs(map.name));
        }
        return first;
    }

private:
    std::set<std::uint32_t> taken(std::uint32_t generation::*member) const {
        std::set<std::uint32_t> all;
        for (const auto kept : {slots_.live, slots_.previous}) {
            if (kept) {
                all.insert(slots_.records[*kept].*member);
            }
        }
        return all;
    }

    static Error differs(std::string_view table) {
        return Error(std::string(table) + " reads back differently from what was written: the old "
                                          "generation stays in force");
    }

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

    // Reads back what packets will read, by the way that they will take.
    Result<> check(std::string_view pool, std::uint32_t index, const Contents& contents) {
        WEIR_TRY(const bool same, table_holds(pool, index, contents));
        if (!same) {
            return fail(differs(pool));
        }
        return {};
    }

    const Node& node_;
    const Slots& slots_;
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

std::set<std::uint32_t>
indices_of(const std::vector<std::pair<model::Slot, backend>>& backends) {
    std::set<std::uint32_t> indices;
    for (const auto& [slot, value] : backends) {
        indices.insert(slot);
    }
    return indices;
}

// The rings go on from the live ones; the table says where they lie.
Result<> build_services(Builder& builder, Rings& rings, compile::Balancer& balancer,
                        generation& record) {
    WEIR_TRY(const RingOfService ring_at,
             rings.change(balancer.rings, indices_of(balancer.backends)));
    for (service& each : balancer.services.places) {
        const auto found = ring_at.find(each.slot);
        each.ring = found == ring_at.end() ? 0 : found->second.page * RING_PAGE;
    }
    WEIR_TRY(record.service_table, builder.bank(maps::service_tables, &generation::service_table,
                                                balancer.services.places));
    record.service_seed = balancer.services.seed;
    return {};
}

Result<generation> build_tables(Builder& builder, Rings& rings, compile::Images& images,
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

    WEIR_CHECK(build_services(builder, rings, images.balancer, record));
    WEIR_TRY(const auto backends, backend_array(images.balancer, limits));
    WEIR_TRY(record.backend_table,
             builder.bank(maps::backend_tables, &generation::backend_table, backends));
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

Result<Rings> open_rings(const Node& node, const Slots& slots) {
    RingOfService live, kept;
    std::uint32_t idle = 0;
    if (slots.live) {
        idle = slots.records[*slots.live].idle;
        WEIR_TRY(live, rings_of(node, slots.records[*slots.live]));
    }
    if (slots.previous) {
        WEIR_TRY(kept, rings_of(node, slots.records[*slots.previous]));
    }
    return Rings::open(node, idle, std::move(live), kept);
}

// The last steps: the record, whole, and the one store that turns every packet to it.
Result<> put_in_force(const Node& node, const Slots& slots, Rings& rings, generation& record,
                      const std::string& state) {
    const std::uint64_t number = record.number;
    record.state = slots.build;
    WEIR_CHECK(put_state(node.map(maps::states.name), record.state, state));
    record.number = 0;
    WEIR_CHECK(write_record(node, slots.build, record));
    record.number = number;
    WEIR_CHECK(write_record(node, slots.build, record));
    WEIR_CHECK(check_record(node, slots.build, record));
    rings.start_clocks();
    return turn_to(node, slots.build);
}

} // namespace

Result<std::uint64_t> Node::publish(compile::Images images, const model::FreshSlots& fresh,
                                    const std::string& state) {
    WEIR_TRY(Slots slots, survey(*this));
    WEIR_CHECK(invalidate_others(*this, slots));
    WEIR_TRY(Rings rings, open_rings(*this, slots));
    Builder builder(*this, slots);
    WEIR_TRY(generation record, build_tables(builder, rings, images, limits_));
    if (record.services > 0) {
        WEIR_CHECK(note_transmitters(*this));
    }
    WEIR_CHECK(zero(map(maps::rule_counts.name), fresh.rules));
    WEIR_CHECK(zero(map(maps::service_counts.name), fresh.services));
    WEIR_CHECK(zero(map(maps::backend_counts.name), fresh.backends));
    WEIR_CHECK(forget_flows_of(*this, fresh.backends));

    record.number = slots.next_number;
    WEIR_CHECK(put_in_force(*this, slots, rings, record, state));
    return record.number;
}

Result<std::uint64_t> Node::rollback(compile::Balancer balancer, const std::string& state) {
    WEIR_TRY(Slots slots, survey(*this));
    if (!slots.previous) {
        return fail("no earlier generation is kept: nothing to roll back to");
    }
    WEIR_CHECK(invalidate_others(*this, slots));
    WEIR_TRY(Rings rings, open_rings(*this, slots));
    Builder builder(*this, slots);
    generation record = slots.records[*slots.previous];
    WEIR_CHECK(build_services(builder, rings, balancer, record));
    WEIR_CHECK(note_transmitters(*this));
    WEIR_CHECK(put_in_force(*this, slots, rings, record, state));
    // Its old record ends: there is one generation of each number.
    slots.records[*slots.previous].number = 0;
    WEIR_CHECK(write_record(*this, *slots.previous, slots.records[*slots.previous]));
    return record.number;
}

Result<> Node::settle() const {
    WEIR_TRY(const Slots slots, survey(*this));
    if (!slots.live || slots.records[*slots.live].services == 0) {
        return {};
    }
    const generation& record = slots.records[*slots.live];
    WEIR_TRY(RingOfService live, rings_of(*this, record));
    WEIR_TRY(Rings rings, Rings::open(*this, record.idle, live, {}));
    WEIR_TRY(const auto foreign, foreign_buckets(*this, rings, live));
    rings.settle(foreign);
    return note_transmitters(*this);
}

} // namespace weir::kernel
