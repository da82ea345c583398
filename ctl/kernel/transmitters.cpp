#include "kernel/transmitters.h"

#include <algorithm>
#include <bpf/bpf.h>
#include <cerrno>
#include <set>

#include "kernel/refusal.h"
#include "kernel/tables.h"

namespace weir::kernel {
namespace {

Result<std::set<std::uint32_t>> noted(int map) {
    WEIR_TRY(const Elements all, read_all(map));
    std::set<std::uint32_t> indices;
    for (std::size_t i = 0; i < all.count; ++i) {
        std::uint32_t index = 0;
        std::memcpy(&index, all.keys.data() + i * sizeof(index), sizeof(index));
        indices.insert(index);
    }
    return indices;
}

} // namespace

bool can_transmit(const Interface& link, const XdpFeatures* features) {
    if (features != nullptr) {
        return std::ranges::find(features->names, "ndo-xmit") != features->names.end();
    }
    return link.kind.empty() || link.kind == "veth" || link.kind == "bond" || link.kind == "tun";
}

Result<> note_transmitters(const Node& node) {
    const int map = node.map(maps::transmitters.name);
    WEIR_TRY(const auto links, interfaces());
    WEIR_TRY(const auto features, xdp_features());
    WEIR_TRY(std::set<std::uint32_t> gone, noted(map));
    for (const Interface& link : links) {
        const XdpFeatures* own = nullptr;
        if (features) {
            const auto found = std::ranges::find(*features, link.index, &XdpFeatures::index);
            own = found == features->end() ? nullptr : &*found;
        }
        if (!can_transmit(link, own) || gone.erase(link.index) > 0) {
            continue;
        }
        const std::uint8_t yes = 1;
        if (bpf_map_update_elem(map, &link.index, &yes, BPF_ANY) != 0 && errno != E2BIG) {
            return refusal("noting interfaces that take frames from XDP", errno);
        }
    }
    for (const std::uint32_t index : gone) {
        bpf_map_delete_elem(map, &index);
    }
    return {};
}

} // namespace weir::kernel
