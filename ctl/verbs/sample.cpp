#include "verbs/sample.h"

#include <algorithm>

#include "text/rule_text.h"
#include "verbs/hooks.h"
#include "verbs/state.h"

namespace weir::verbs {
namespace {

using Counts = std::vector<std::uint64_t>;

// Where the packets of interfaces that are not attached are counted: `weir explain` and
// BPF_PROG_TEST_RUN from elsewhere.
constexpr const char* kOthers = "(others)";

struct InterfaceSections {
    Section hooks{"interfaces",
                  "Interfaces",
                  {"interface", "hook"},
                  {"packets", "bytes", "passed", "sent", "redirected", "dropped", "handed-over",
                   "decapsulated"},
                  {}};
    Section drops{"drops", "Dropped", {"interface", "hook", "reason"}, {"packets", "bytes"}, {}};
    Section odd{"classes", "Odd packets", {"interface", "hook", "class"}, {"packets"}, {}};

    void add(const std::string& name, hook at, const hook_count& count) {
        const std::vector<output::Json> names = {name, hook_name(at)};
        const auto named = [&](std::string_view last) {
            auto all = names;
            all.emplace_back(last);
            return all;
        };
        hooks.rows.push_back(
            {names,
             {count.received.packets, count.received.bytes, count.verdict[VERDICT_PASS].packets,
              count.verdict[VERDICT_SEND].packets, count.verdict[VERDICT_REDIRECT].packets,
              count.verdict[VERDICT_DROP].packets, count.handed_over, count.decapsulated}});
        for (int r = 0; r < REASON_COUNT; r++) {
            if (count.dropped[r].packets > 0) {
                drops.rows.push_back({named(model::name(static_cast<reason>(r))),
                                      {count.dropped[r].packets, count.dropped[r].bytes}});
            }
        }
        for (int c = 0; c < CLASS_COUNT; c++) {
            if (count.seen[c] > 0) {
                odd.rows.push_back(
                    {named(model::name(static_cast<packet_class>(c))), {count.seen[c]}});
            }
        }
    }
};

Result<InterfaceSections> interface_sections(const kernel::Node& node) {
    InterfaceSections sections;
    WEIR_TRY(const auto interfaces, counted_interfaces(node));
    for (const CountedInterface& interface : interfaces) {
        for (int h = 0; h < HOOK_COUNT; h++) {
            const hook at = static_cast<hook>(h);
            WEIR_TRY(const auto count, node.hook_hits(interface.slot, at));
            if (count.received.packets > 0 || (interface.hooks >> h & 1) != 0) {
                sections.add(interface.name, at, count);
            }
        }
    }
    return sections;
}

Result<Section> rule_section(const kernel::Node& node, const model::Config& config) {
    Section section{"rules", "Rules", {"chain", "handle", "rule"}, {"packets", "bytes"}, {}};
    for (const auto chain : {model::ChainName::kIngress, model::ChainName::kEgress}) {
        for (const model::Rule& rule : config.chain(chain).rules) {
            WEIR_TRY(const auto hits, node.rule_hits(rule.slot));
            section.rows.push_back(
                {{model::name(chain), rule.handle, text::print(rule)}, {hits.packets, hits.bytes}});
        }
    }
    return section;
}

Result<Section> service_section(const kernel::Node& node, const model::Config& config) {
    Section section{"services",
                    "Services",
                    {"service"},
                    {"packets", "bytes", "dropped", "connections", "at-rest", "hot", "entries",
                     "overflow"},
                    {}};
    WEIR_TRY(auto rings, node.ring_statuses());
    for (const model::Service& service : config.balancer.services) {
        WEIR_TRY(const auto hits, node.service_hits(service.slot));
        const kernel::RingStatus& ring = rings[service.slot];
        section.rows.push_back({{service.key.to_string()},
                                {hits.packets, hits.bytes, hits.dropped, hits.connections,
                                 ring.at_rest(), ring.hot, ring.entries(), ring.overflow}});
    }
    return section;
}

Result<Section> backend_section(const kernel::Node& node, const model::Config& config) {
    Section section{
        "backends", "Backends", {"service", "backend"}, {"packets", "bytes", "connections"}, {}};
    for (const model::Service& service : config.balancer.services) {
        for (const model::Backend& backend : service.backends) {
            WEIR_TRY(const auto hits, node.backend_hits(backend.slot));
            section.rows.push_back({{service.key.to_string(), backend.address.to_string()},
                                    {hits.packets, hits.bytes, hits.connections}});
        }
    }
    return section;
}

} // namespace

Result<std::vector<CountedInterface>> counted_interfaces(const kernel::Node& node) {
    WEIR_TRY(const auto entries, node.ifaces());
    std::vector<CountedInterface> interfaces;
    for (const auto& [ifindex, entry] : entries) {
        interfaces.push_back({interface_name(entry), entry.slot, entry.hooks});
    }
    std::sort(interfaces.begin(), interfaces.end(),
              [](const auto& a, const auto& b) { return a.name < b.name; });
    interfaces.push_back({kOthers, 0, 0});
    return interfaces;
}

Result<Sample> take_sample(const kernel::Node& node) {
    WEIR_TRY(const auto live, read_live(node));
    Sample sample;
    sample.taken = std::chrono::steady_clock::now();
    sample.generation = live.generation;
    const model::Config& config = live.saved.config;
    WEIR_TRY(auto interfaces, interface_sections(node));
    WEIR_TRY(auto rules, rule_section(node, config));
    WEIR_TRY(auto services, service_section(node, config));
    WEIR_TRY(auto backends, backend_section(node, config));
    sample.sections = {std::move(interfaces.hooks), std::move(rules),
                       std::move(services),         std::move(backends),
                       std::move(interfaces.drops), std::move(interfaces.odd)};
    return sample;
}

} // namespace weir::verbs
