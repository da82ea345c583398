#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "kernel/attach.h"
#include "kernel/bpf.h"
#include "kernel/node.h"
#include "kernel/objects.h"
#include "kernel/refusal.h"
#include "kernel/tables.h"

namespace weir::kernel {
namespace {

namespace fs = std::filesystem;

// Where a load is built before it is renamed. bpffs takes no dots in names.
fs::path building(const Pins& pins) {
    return pins.base() / "building";
}
// Where an unload takes it before it is removed.
fs::path leaving(const Pins& pins) {
    return pins.base() / "leaving";
}

// fs::remove_all() asks for the type of what it unlinks in ways that bpffs answers; a link's pin
// goes like any other, and detaches the link.
Result<> remove_tree(const fs::path& path) {
    std::error_code error;
    fs::remove_all(path, error);
    if (error && error != std::errc::no_such_file_or_directory) {
        return refusal("removing " + path.string(), error.value());
    }
    return {};
}

Result<> make_folders(const fs::path& root) {
    for (const char* name : {"maps", "programs", "links"}) {
        std::error_code error;
        fs::create_directories(root / name, error);
        if (error) {
            return refusal("making " + (root / name).string(), error.value());
        }
    }
    return {};
}

Result<> rename_folder(const fs::path& from, const fs::path& to) {
    std::error_code error;
    fs::rename(from, to, error);
    if (error) {
        return refusal("renaming " + from.string() + " to " + to.string(), error.value());
    }
    return {};
}

bool none(std::string_view) {
    return false;
}

Result<> build_object(ObjectFile file, const std::vector<Program>& programs,
                      const model::Limits& limits, const fs::path& root) {
    WEIR_TRY(Object object, Object::open(file, limits));
    WEIR_CHECK(object.size_maps(limits));
    WEIR_CHECK(object.reuse_maps(root / "maps", none));
    WEIR_CHECK(object.load());
    WEIR_CHECK(object.pin_maps(root / "maps"));
    for (const Program program : programs) {
        WEIR_TRY(const int fd, object.program(name(program)));
        WEIR_CHECK(pin(fd, root / "programs" / name(program)));
    }
    return {};
}

// Leaves a table at index 0 of the pools whose tables' size stands nowhere else; see Node::open().
Result<> seed_pools(const model::Limits& limits, const fs::path& root) {
    for (const char* pool : {maps::fw_images.name, maps::set4_tables.name}) {
        WEIR_TRY(const Fd outer, open_pin(root / "maps" / pool));
        WEIR_TRY(const Fd table, make_table(pool, *table_shape(pool, limits)));
        WEIR_CHECK(put_table(outer.get(), 0, table.get()));
    }
    return {};
}

// The pool of state texts, which no program reads.
Result<> build_states(const model::Limits& limits, const fs::path& root) {
    WEIR_TRY(const Fd inner,
             make_table(maps::states.name, *table_shape(maps::states.name, limits)));
    Options<bpf_map_create_opts> settings;
    settings.inner_map_fd = static_cast<std::uint32_t>(inner.get());
    const Fd pool(bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, maps::states.name, sizeof(__u32),
                                 sizeof(__u32), TABLE_POOL, &settings));
    if (!pool) {
        return refusal("making the pool of states", errno);
    }
    return pin(pool.get(), root / "maps" / maps::states.name);
}

Result<> start_without_generation(const fs::path& root) {
    WEIR_TRY(const Fd map, open_pin(root / "maps" / maps::control.name));
    const __u32 only = 0;
    struct control word {};
    word.live = NO_GENERATION;
    if (bpf_map_update_elem(map.get(), &only, &word, BPF_ANY) != 0) {
        return refusal("writing the control word", errno);
    }
    return {};
}

Result<> check_limits(const model::Limits& limits) {
    const auto in_range = [](std::uint32_t value, std::uint32_t most) {
        return value > 0 && value <= most;
    };
    if (!in_range(limits.nodes, FW_NODES_LIMIT) || (limits.nodes & (limits.nodes - 1)) != 0) {
        return usage("--max-nodes " + std::to_string(limits.nodes) +
                     ": give a power of two up to " + std::to_string(FW_NODES_LIMIT));
    }
    if (limits.flows % 16 != 0 || (limits.flows & (limits.flows - 1)) != 0) {
        return usage("--max-flows " + std::to_string(limits.flows) + ": give a power of two");
    }
    // Above these the kernel's own arithmetic on map sizes ends.
    constexpr std::uint32_t kMost = 1U << 24;
    const std::pair<const char*, std::uint32_t> sizes[] = {
        {"--max-rules", limits.rules},
        {"--max-set-elements", limits.set_elements},
        {"--max-services", limits.services},
        {"--max-backends", limits.backends},
        {"--max-buckets", limits.buckets},
        {"--max-flows", limits.flows}};
    for (const auto& [option, value] : sizes) {
        if (!in_range(value, kMost)) {
            return usage(std::string(option) + " " + std::to_string(value) + ": give 1 to " +
                         std::to_string(kMost));
        }
    }
    return {};
}

Result<> refuse_while_attached(const Pins& pins) {
    WEIR_TRY(const Node node, Node::open(pins));
    WEIR_TRY(const auto all, attachments(node));
    std::vector<std::string> devices;
    for (const Attachment& one : all) {
        if (!one.missing &&
            std::find(devices.begin(), devices.end(), one.device) == devices.end()) {
            devices.push_back(one.device);
        }
    }
    if (devices.empty()) {
        return {};
    }
    std::string names;
    for (const std::string& device : devices) {
        names += (names.empty() ? "" : ", ") + device;
    }
    return fail("Weir is attached to " + names + ": run `weir detach --all` first");
}

} // namespace

std::string_view name(Program program) {
    switch (program) {
    case Program::kIngress:
        return "weir_ingress";
    case Program::kTcIngress:
        return "weir_tc_ingress";
    case Program::kTcEgress:
        return "weir_tc_egress";
    }
    return "";
}

Result<bool> load(const Pins& pins, const model::Limits& limits) {
    WEIR_CHECK(check_limits(limits));
    WEIR_CHECK(pins.check_schema());
    WEIR_CHECK(remove_tree(building(pins)));
    WEIR_CHECK(remove_tree(leaving(pins)));
    if (pins.loaded()) {
        return false;
    }
    const fs::path root = building(pins);
    const auto build = [&]() -> Result<> {
        WEIR_CHECK(make_folders(root));
        WEIR_CHECK(build_object(ObjectFile::kIngress, {Program::kIngress}, limits, root));
        WEIR_CHECK(
            build_object(ObjectFile::kTc, {Program::kTcIngress, Program::kTcEgress}, limits, root));
        WEIR_CHECK(seed_pools(limits, root));
        WEIR_CHECK(build_states(limits, root));
        WEIR_CHECK(start_without_generation(root));
        return rename_folder(root, pins.root());
    };
    if (auto built = build(); !built) {
        (void)remove_tree(root);
        return fail(std::move(built).error());
    }
    return true;
}

Result<> unload(const Pins& pins) {
    WEIR_CHECK(pins.check_schema());
    if (!pins.loaded()) {
        return fail("Weir is not loaded in " + pins.base().string());
    }
    WEIR_CHECK(refuse_while_attached(pins));
    // Renamed first, so that a kill leaves no half of it to be taken for a whole.
    WEIR_CHECK(remove_tree(leaving(pins)));
    WEIR_CHECK(rename_folder(pins.root(), leaving(pins)));
    return remove_tree(leaving(pins));
}

} // namespace weir::kernel
