#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include <bpf/libbpf.h>

#include "base/fd.h"
#include "base/result.h"
#include "kernel/pins.h"
#include "model/config.h"

// The BPF objects that are embedded in the binary, opened and fitted to the limits.
namespace weir::kernel {

enum class ObjectFile { kIngress, kTc };

// Which instance of the programs: it is fixed before they are verified.
enum class Instance {
    kTraffic,
    kGeneral, // every packet takes the general lane, as tests compare them
    kExplain, // that, too; and it says why
};

// An opened object with its skeleton, which owns it.
class Object {
public:
    static Result<Object> open(ObjectFile file, const model::Limits& limits,
                               Instance instance = Instance::kTraffic);

    bpf_object* get() const { return object_; }
    // Sizes every map, the ones in pools included, for its limits.
    Result<> size_maps(const model::Limits& limits);
    // Takes the maps pinned in `folder` instead of making new ones, but for those of which `fresh`
    // says true. A map that is not pinned there is made.
    Result<> reuse_maps(const std::filesystem::path& folder,
                        const std::function<bool(std::string_view)>& fresh);
    Result<> load();
    // Pins every map that is not in `folder` yet.
    Result<> pin_maps(const std::filesystem::path& folder) const;
    // Of this instance, by the name of the one that sees traffic.
    Result<int> program(std::string_view name) const;
    Result<int> map(std::string_view name) const;

private:
    Object(bpf_object* object, std::unique_ptr<void, void (*)(void*)> skeleton, Instance instance)
        : object_(object), skeleton_(std::move(skeleton)), instance_(instance) {}
    bpf_object* object_;
    std::unique_ptr<void, void (*)(void*)> skeleton_;
    Instance instance_;
    // Templates of the pools' tables: libbpf wants them open until it loads.
    std::vector<Fd> templates_;
};

// Sizes of the tables in pools; nullopt if `pool` is none.
struct TableShape {
    bpf_map_type type;
    std::uint32_t key_size;
    std::uint32_t value_size;
    std::uint32_t max_entries;
    std::uint32_t flags;
};
std::optional<TableShape> table_shape(std::string_view pool, const model::Limits& limits);
Result<Fd> make_table(std::string_view pool, const TableShape& shape);

} // namespace weir::kernel
