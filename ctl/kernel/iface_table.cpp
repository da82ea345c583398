#include "kernel/iface_table.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <set>
#include <span>

#include "kernel/bpf.h"
#include "kernel/hooks.h"
#include "kernel/refusal.h"

namespace weir::kernel {
namespace {

// An interface's name as the maps have it: 16 octets, zero-filled, as two big-endian numbers.
constexpr std::size_t kNameOctets = 16;

void set_name(iface& entry, const std::string& name) {
    std::uint64_t parts[2] = {};
    for (std::size_t i = 0; i < kNameOctets; ++i) {
        const auto octet = i < name.size() ? static_cast<unsigned char>(name[i]) : 0U;
        parts[i / 8] = parts[i / 8] << 8 | octet;
    }
    entry.name_hi = parts[0];
    entry.name_lo = parts[1];
}

// The table as packets search it: maps/interface.h. Whoever writes holds the lock.
class Places {
public:
    static Result<Places> of(const Node& node) {
        WEIR_TRY(Mapping mapping,
                 Mapping::of(node.map(maps::ifaces.name), Mapping::Access::kWrite));
        return Places(std::move(mapping));
    }

    std::span<iface> all() const {
        return {reinterpret_cast<iface*>(mapping_.bytes().data()), IFACE_PLACES};
    }
    // nullptr: it has no entry.
    iface* find(std::uint32_t ifindex) const {
        for (std::uint32_t i = 0; i < IFACES_MAX; ++i) {
            iface& entry = at(ifindex + i);
            if (entry.ifindex == ifindex) {
                return &entry;
            }
            if (entry.ifindex == 0) {
                return nullptr;
            }
        }
        return nullptr;
    }
    void put(const iface& value) {
        iface* entry = find(value.ifindex);
        if (entry == nullptr) {
            entry = vacant(value.ifindex);
        }
        entry->name_hi = value.name_hi;
        entry->name_lo = value.name_lo;
        entry->slot = value.slot;
        std::ranges::copy(value.mac, entry->mac);
        entry->role = value.role;
        entry->hooks = value.hooks;
        set_ifindex(*entry, value.ifindex); // last: from here on packets find it
    }
    void remove(std::uint32_t ifindex) {
        if (iface* entry = find(ifindex)) {
            const auto next = static_cast<std::uint32_t>(entry - all().data()) + 1;
            set_ifindex(*entry, at(next).ifindex == 0 ? 0 : IFACE_REMOVED);
        }
    }

private:
    explicit Places(Mapping mapping) : mapping_(std::move(mapping)) {}

    iface& at(std::uint32_t place) const { return all()[place % IFACE_PLACES]; }
    // There are fewer than IFACES_MAX entries, so that one of so many places is free.
    iface* vacant(std::uint32_t ifindex) const {
        std::uint32_t place = ifindex;
        while (at(place).ifindex != 0 && at(place).ifindex != IFACE_REMOVED) {
            ++place;
        }
        return &at(place);
    }
    static void set_ifindex(iface& entry, std::uint32_t ifindex) {
        std::atomic_ref(entry.ifindex).store(ifindex);
    }

    Mapping mapping_;
};

Result<> zero_counters(const Node& node, std::uint32_t slot) {
    const std::vector<hook_count> zero(possible_cpus());
    for (std::uint32_t row = slot * HOOK_COUNT; row < (slot + 1) * HOOK_COUNT; ++row) {
        if (bpf_map_update_elem(node.map(maps::hook_counts.name), &row, zero.data(), BPF_ANY) !=
            0) {
            return refusal("zeroing interface counters", errno);
        }
    }
    return {};
}

using Entries = std::vector<std::pair<std::uint32_t, iface>>;

bool exists(const std::vector<Interface>& links, std::uint32_t ifindex) {
    return std::any_of(links.begin(), links.end(),
                       [&](const Interface& link) { return link.index == ifindex; });
}

// Removes an entry whose interface is gone.
Result<> forget(Node& node, std::uint32_t ifindex) {
    for (const hook at : {HOOK_XDP, HOOK_TC_INGRESS, HOOK_TC_EGRESS}) {
        WEIR_CHECK(remove_link(node, ifindex, at));
    }
    return node.delete_iface(ifindex);
}

Result<std::uint32_t> new_slot(const Node& node, const Entries& entries) {
    std::set<std::uint32_t> taken = {0}; // counts for every interface without an entry
    for (const auto& [ifindex, entry] : entries) {
        taken.insert(entry.slot);
    }
    std::uint32_t slot = 0;
    while (taken.contains(slot)) {
        ++slot;
    }
    if (slot >= IFACES_MAX) {
        return fail("limit " + std::to_string(IFACES_MAX - 1) +
                    " interfaces: `weir detach` those that are gone (`weir status` shows them as "
                    "missing)");
    }
    WEIR_CHECK(zero_counters(node, slot));
    return slot;
}

} // namespace

Result<std::optional<iface>> find_entry(const Node& node, std::uint32_t ifindex) {
    WEIR_TRY(const Places places, Places::of(node));
    const iface* entry = places.find(ifindex);
    return entry == nullptr ? std::nullopt : std::optional(*entry);
}

Result<std::vector<std::pair<std::uint32_t, iface>>> Node::ifaces() const {
    WEIR_TRY(const Places places, Places::of(*this));
    std::vector<std::pair<std::uint32_t, iface>> entries;
    for (const iface& entry : places.all()) {
        if (entry.ifindex != 0 && entry.ifindex != IFACE_REMOVED) {
            entries.emplace_back(entry.ifindex, entry);
        }
    }
    std::sort(entries.begin(), entries.end(),
              [](const auto& a, const auto& b) { return a.first < b.first; });
    return entries;
}

Result<> Node::set_iface(std::uint32_t ifindex, const iface& value) {
    WEIR_TRY(Places places, Places::of(*this));
    iface entry = value;
    entry.ifindex = ifindex;
    places.put(entry);
    return {};
}

Result<> Node::delete_iface(std::uint32_t ifindex) {
    WEIR_TRY(Places places, Places::of(*this));
    places.remove(ifindex);
    return {};
}

std::string name_of(const iface& entry) {
    std::string name;
    for (const std::uint64_t part : {entry.name_hi, entry.name_lo}) {
        for (int shift = 56; shift >= 0; shift -= 8) {
            if (const char octet = static_cast<char>(part >> shift & 0xff); octet != '\0') {
                name += octet;
            }
        }
    }
    return name;
}

Result<> enter_interface(Node& node, const Interface& device, role as) {
    WEIR_TRY(auto wanted, find_entry(node, device.index));
    if (!wanted) {
        WEIR_TRY(const Entries entries, node.ifaces());
        WEIR_TRY(const auto links, interfaces());
        wanted.emplace();
        for (const auto& [ifindex, entry] : entries) {
            if (name_of(entry) == device.name && !exists(links, ifindex)) {
                wanted->slot = entry.slot;
                WEIR_CHECK(forget(node, ifindex));
            }
        }
        if (wanted->slot == 0) {
            WEIR_TRY(wanted->slot, new_slot(node, entries));
        }
    }
    set_name(*wanted, device.name);
    std::ranges::copy(device.mac.octets(), wanted->mac);
    wanted->role = static_cast<__u8>(as);
    return node.set_iface(device.index, *wanted);
}

} // namespace weir::kernel
