#include "kernel/node.h"

#include <cerrno>
#include <filesystem>

#include "kernel/bpf.h"
#include "kernel/refusal.h"
#include "kernel/tables.h"
#include "maps/capture.h"

namespace weir::kernel {
namespace {

namespace fs = std::filesystem;

Result<std::uint32_t> entries(int map) {
    WEIR_TRY(const bpf_map_info info, map_info(map));
    return info.max_entries;
}

// The kernel does not tell what tables a pool takes; load() left one of them at index 0, and
// there always is one since.
Result<bpf_map_info> table_info(int pool) {
    WEIR_TRY(const Fd table, open_table(pool, 0));
    return map_info(table.get());
}

std::string hex(const unsigned char* octets, std::size_t count) {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string text;
    for (std::size_t i = 0; i < count; ++i) {
        text += kDigits[octets[i] >> 4];
        text += kDigits[octets[i] & 15];
    }
    return text;
}

} // namespace

Result<Node> Node::open(const Pins& pins) {
    WEIR_CHECK(pins.check_schema());
    if (!pins.loaded()) {
        return fail("Weir is not loaded in " + pins.base().string() + ": run `weir load`");
    }
    Node node(pins);
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(pins.root() / "maps", error)) {
        WEIR_TRY(Fd fd, open_pin(entry.path()));
        node.maps_.emplace(entry.path().filename().string(), std::move(fd));
    }
    if (error) {
        return refusal("reading " + (pins.root() / "maps").string(), error.value());
    }
    for (const char* name :
         {maps::control.name, maps::states.name, maps::ifaces.name, maps::transmitters.name,
          maps::hook_counts.name, maps::rule_counts.name, maps::service_counts.name,
          maps::service_states.name, maps::backend_counts.name, maps::flows.name,
          maps::fw_images.name, maps::set4_tables.name,
          maps::set6_tables.name, maps::set_port_tables.name, maps::service_tables.name,
          maps::backend_tables.name, maps::rings.name, maps::capture_settings.name,
          maps::capture_benches.name, maps::capture_rings.name}) {
        if (node.map(name) < 0) {
            return fail(pins.map(name).string() + " is missing: `weir export`, then `weir detach "
                                                  "--all`, `weir unload` and `weir load`");
        }
    }
    WEIR_TRY(node.limits_.rules, entries(node.map(maps::rule_counts.name)));
    WEIR_TRY(node.limits_.services, entries(node.map(maps::service_counts.name)));
    WEIR_TRY(node.limits_.backends, entries(node.map(maps::backend_counts.name)));
    WEIR_TRY(const std::uint32_t lines, entries(node.map(maps::flows.name)));
    node.limits_.flows = lines * 4 / 9 * FLOWS_A_LINE;
    WEIR_TRY(node.limits_.buckets, entries(node.map(maps::rings.name)));
    WEIR_TRY(const bpf_map_info image, table_info(node.map(maps::fw_images.name)));
    node.limits_.nodes = image.value_size / sizeof(fw_node);
    WEIR_TRY(const bpf_map_info set, table_info(node.map(maps::set4_tables.name)));
    node.limits_.set_elements = set.max_entries;
    return node;
}

int Node::map(std::string_view name) const {
    const auto found = maps_.find(name);
    return found == maps_.end() ? -1 : found->second.get();
}

Result<std::vector<ProgramInfo>> Node::programs() const {
    std::vector<ProgramInfo> all;
    for (const Program program : {Program::kIngress, Program::kTcIngress, Program::kTcEgress}) {
        const fs::path path = pins_.program(name(program));
        WEIR_TRY(const Fd fd, open_pin(path));
        WEIR_TRY(const bpf_prog_info info, program_info(fd.get()));
        all.push_back({.name = std::string(name(program)),
                       .id = info.id,
                       .tag = hex(info.tag, sizeof(info.tag)),
                       .pin = path.string(),
                       .run_count = info.run_cnt,
                       .run_time_ns = info.run_time_ns,
                       .verified_insns = info.verified_insns,
                       .jited_bytes = info.jited_prog_len});
    }
    return all;
}

} // namespace weir::kernel
