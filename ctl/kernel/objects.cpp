#include "kernel/objects.h"

#include <cerrno>
#include <filesystem>
#include <map>

#include "ingress.skel.h"
#include "tc.skel.h"

#include "compile/images.h"
#include "kernel/bpf.h"
#include "kernel/refusal.h"
#include "maps/balancer.h"
#include "maps/firewall.h"
#include "maps/generation.h"
#include "maps/interface.h"

namespace weir::kernel {
namespace {

// The programs that take the general lane alone are named after the others.
constexpr std::string_view kGeneral = "_general";

template <typename Skeleton>
void fix(Skeleton& skeleton, const model::Limits& limits, Instance instance) {
    skeleton.rodata->fw_node_mask = limits.nodes - 1;
    skeleton.rodata->explaining = instance == Instance::kExplain ? 1 : 0;
    bpf_program* program = nullptr;
    bpf_object__for_each_program(program, skeleton.obj) {
        const bool general = std::string_view(bpf_program__name(program)).ends_with(kGeneral);
        bpf_program__set_autoload(program, general == (instance != Instance::kTraffic));
    }
}

// Of the balancer, which only XDP has.
void fix_balancer(ingress_bpf& skeleton, const model::Limits& limits) {
    skeleton.rodata->service_mask = compile::service_places(limits.services) - 1;
    skeleton.rodata->flow_lines = limits.flows / FLOWS_A_LINE;
}

std::optional<std::uint32_t> entries_of(std::string_view map, const model::Limits& limits) {
    if (map == maps::rule_counts.name) {
        return limits.rules;
    }
    if (map == maps::service_counts.name) {
        return limits.services;
    }
    if (map == maps::backend_counts.name) {
        return limits.backends;
    }
    if (map == maps::service_states.name) {
        return limits.services;
    }
    if (map == maps::service_tables.name) {
        return TABLE_POOL * compile::service_places(limits.services);
    }
    if (map == maps::backend_tables.name) {
        return TABLE_POOL * limits.backends;
    }
    if (map == maps::flows.name) {
        return 9 * (limits.flows / FLOWS_A_LINE) / 4; // three partitions: maps/balancer.h
    }
    if (map == maps::rings.name) {
        return limits.buckets;
    }
    return std::nullopt;
}

// A section of data is a map, too: what packets read without a look-up.
constexpr std::string_view kData = ".data.";

bool is_ours(const bpf_map* map) {
    return !bpf_map__is_internal(map) || std::string_view(bpf_map__name(map)).starts_with(kData);
}

std::string_view name_of(const bpf_map* map) {
    const std::string_view name = bpf_map__name(map);
    return name.starts_with(kData) ? name.substr(kData.size()) : name;
}

} // namespace

std::optional<TableShape> table_shape(std::string_view pool, const model::Limits& limits) {
    const std::uint32_t index = sizeof(__u32);
    if (pool == maps::fw_images.name) {
        return TableShape{BPF_MAP_TYPE_ARRAY, index,
                          limits.nodes * static_cast<std::uint32_t>(sizeof(fw_node)), 1,
                          BPF_F_MMAPABLE};
    }
    if (pool == maps::set4_tables.name) {
        return TableShape{BPF_MAP_TYPE_LPM_TRIE, sizeof(set4_key), sizeof(set_mask),
                          limits.set_elements, BPF_F_NO_PREALLOC};
    }
    if (pool == maps::set6_tables.name) {
        return TableShape{BPF_MAP_TYPE_LPM_TRIE, sizeof(set6_key), sizeof(set_mask),
                          limits.set_elements, BPF_F_NO_PREALLOC};
    }
    if (pool == maps::set_port_tables.name) {
        return TableShape{BPF_MAP_TYPE_ARRAY, index, sizeof(set_mask), PORTS, BPF_F_MMAPABLE};
    }
    if (pool == maps::states.name) {
        // BPF_F_INNER_MAP: the tables of one pool may differ in length.
        return TableShape{BPF_MAP_TYPE_ARRAY, index, sizeof(state_chunk), 1,
                          BPF_F_MMAPABLE | BPF_F_INNER_MAP};
    }
    return std::nullopt;
}

Result<Fd> make_table(std::string_view pool, const TableShape& shape) {
    Options<bpf_map_create_opts> settings;
    settings.map_flags = shape.flags;
    // Kernel names end after 15 characters.
    const std::string name(pool.substr(0, BPF_OBJ_NAME_LEN - 1));
    Fd fd(bpf_map_create(shape.type, name.c_str(), shape.key_size, shape.value_size,
                         shape.max_entries, &settings));
    if (!fd) {
        return refusal("making a table of " + std::string(pool), errno);
    }
    return fd;
}

Result<Object> Object::open(ObjectFile file, const model::Limits& limits,
                            Instance instance) {
    const LibraryLog log;
    if (file == ObjectFile::kIngress) {
        if (ingress_bpf* skeleton = ingress_bpf__open()) {
            fix(*skeleton, limits, instance);
            fix_balancer(*skeleton, limits);
            return Object(skeleton->obj,
                          {skeleton, [](void* owned) {
                               ingress_bpf__destroy(static_cast<ingress_bpf*>(owned));
                           }},
                          instance);
        }
    } else if (tc_bpf* skeleton = tc_bpf__open()) {
        fix(*skeleton, limits, instance);
        return Object(
            skeleton->obj,
            {skeleton, [](void* owned) { tc_bpf__destroy(static_cast<tc_bpf*>(owned)); }}, instance);
    }
    return library_refusal("opening the embedded programs", errno, log);
}

Result<> Object::size_maps(const model::Limits& limits) {
    bpf_map* map = nullptr;
    bpf_object__for_each_map(map, object_) {
        const std::string_view name = name_of(map);
        if (const auto entries = entries_of(name, limits)) {
            if (const int error = bpf_map__set_max_entries(map, *entries); error != 0) {
                return refusal("sizing " + std::string(name), -error);
            }
        }
        if (const auto shape = table_shape(name, limits)) {
            WEIR_TRY(Fd inner, make_table(name, *shape));
            if (const int error = bpf_map__set_inner_map_fd(map, inner.get()); error != 0) {
                return refusal("shaping " + std::string(name), -error);
            }
            templates_.push_back(std::move(inner));
        }
    }
    return {};
}

Result<> Object::reuse_maps(const std::filesystem::path& folder,
                            const std::function<bool(std::string_view)>& fresh) {
    bpf_map* map = nullptr;
    bpf_object__for_each_map(map, object_) {
        const std::string_view name = name_of(map);
        if (!is_ours(map) || fresh(name)) {
            continue;
        }
        const Fd pinned(bpf_obj_get((folder / name).c_str()));
        if (!pinned) {
            if (errno == ENOENT) {
                continue;
            }
            return refusal("opening " + (folder / name).string(), errno);
        }
        if (const int error = bpf_map__reuse_fd(map, pinned.get()); error != 0) {
            return refusal("reusing " + std::string(name), -error);
        }
    }
    return {};
}

Result<> Object::load() {
    const LibraryLog log;
    if (const int error = bpf_object__load(object_); error != 0) {
        return library_refusal("loading the programs", -error, log);
    }
    return {};
}

Result<> Object::pin_maps(const std::filesystem::path& folder) const {
    bpf_map* map = nullptr;
    bpf_object__for_each_map(map, object_) {
        const std::filesystem::path path = folder / name_of(map);
        std::error_code ignored;
        if (is_ours(map) && !std::filesystem::exists(path, ignored)) {
            WEIR_CHECK(pin(bpf_map__fd(map), path));
        }
    }
    return {};
}

Result<int> Object::program(std::string_view name) const {
    const std::string full =
        std::string(name) + std::string(instance_ == Instance::kTraffic ? "" : kGeneral);
    const bpf_program* found = bpf_object__find_program_by_name(object_, full.c_str());
    if (!found) {
        return fail("no program " + std::string(name) + " in the embedded object");
    }
    return bpf_program__fd(found);
}

Result<int> Object::map(std::string_view name) const {
    bpf_map* map = nullptr;
    bpf_object__for_each_map(map, object_) {
        if (name_of(map) == name) {
            return bpf_map__fd(map);
        }
    }
    return fail("no map " + std::string(name) + " in the embedded object");
}

} // namespace weir::kernel
