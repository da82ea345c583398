#include "bench/packet/memory.h"

#include <fmt/format.h>

#include <fstream>

#include "bench/packet/rule_generator.h"
#include "compile/images.h"
#include "kernel/bpf.h"
#include "kernel/objects.h"
#include "text/config_text.h"

namespace weir::bench {
namespace {

// Of a whole map, in octets.
Result<double> memory_of(int map) {
    const std::string path = fmt::format("/proc/self/fdinfo/{}", map);
    std::ifstream info(path);
    double bytes = 0;
    for (std::string key; info >> key;) {
        if (key == "memlock:" && info >> bytes) {
            return bytes;
        }
    }
    return fail(path + ": no memlock: of a kernel before 4.11?");
}

Result<double> per_entry(int map) {
    WEIR_TRY(const double bytes, memory_of(map));
    WEIR_TRY(const auto info, kernel::map_info(map));
    return bytes / info.max_entries;
}

// Octets of compiled nodes for each of some realistic rules.
Result<double> nodes_per_rule() {
    constexpr std::size_t kRules = 1000;
    std::string yaml = "firewall:\n  ingress:\n    rules:\n";
    for (const GeneratedRule& rule : realistic_rules(Family::kIpv4, kRules, 7)) {
        yaml += "      - \"" + rule.text + "\"\n";
    }
    std::vector<text::Warning> warnings;
    WEIR_TRY(auto config, text::parse_config(yaml, "bench", warnings));
    for (std::size_t i = 0; i < config.ingress.rules.size(); i++) {
        config.ingress.rules[i].slot = static_cast<model::Slot>(i);
    }
    WEIR_TRY(const auto compiled, compile::compile_firewall(config, {}));
    return static_cast<double>(compiled.nodes.size() * sizeof(fw_node)) / kRules;
}

} // namespace

Result<std::vector<MemoryCost>> memory_costs(const kernel::Node& node) {
    constexpr std::size_t kBackends = 10; // of the service that is told of
    const model::Limits& limits = node.limits();
    WEIR_TRY(const double nodes, nodes_per_rule());
    WEIR_TRY(const double rule_counts, per_entry(node.map(maps::rule_counts.name)));
    WEIR_TRY(const double flow_line, per_entry(node.map(maps::flows.name)));
    WEIR_TRY(const double bucket, per_entry(node.map(maps::rings.name)));
    WEIR_TRY(const double place, per_entry(node.map(maps::service_tables.name)));
    WEIR_TRY(const double state, per_entry(node.map(maps::service_states.name)));
    WEIR_TRY(const double service_counts, per_entry(node.map(maps::service_counts.name)));
    WEIR_TRY(const double backend, per_entry(node.map(maps::backend_tables.name)));
    WEIR_TRY(const double backend_counts, per_entry(node.map(maps::backend_counts.name)));
    const double ring = bucket * model::ring_buckets(kBackends, 0);
    const double places = TABLE_POOL * place * compile::service_places(limits.services) /
                          static_cast<double>(limits.services);
    return std::vector<MemoryCost>{
        {"rule", nodes + rule_counts, "nodes, rule_counts"},
        {"tracked flow", flow_line / FLOWS_A_LINE, "flows"},
        {"service of 10 backends", ring + places + state + service_counts,
         "rings, service_tables, service_states, service_counts"},
        {"backend", TABLE_POOL * backend + backend_counts, "backend_tables, backend_counts"}};
}

} // namespace weir::bench
