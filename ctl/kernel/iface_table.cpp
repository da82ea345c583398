#include "kernel/iface_table.h"

#include <algorithm>
#include <cerrno>
#include <set>

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
    iface entry{};
    if (bpf_map_lookup_elem(node.map(maps::ifaces.name), &ifindex, &entry) == 0) {
        return entry;
    }
    if (errno == ENOENT) {
        return std::nullopt;
    }
    return refusal("reading the interface table", errno);
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
    wanted->role = as;
    return node.set_iface(device.index, *wanted);
}

} // namespace weir::kernel
