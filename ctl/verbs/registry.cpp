#include <array>

#include "verbs/all.h"

namespace weir::verbs {
namespace {

constexpr std::array kInterfaces = {&load, &attach, &detach, &unload, &status, &doctor};
constexpr std::array kConfiguration = {&apply, &export_config, &diff, &rollback};
constexpr std::array kFirewall = {&fw_add,  &fw_insert, &fw_replace, &fw_delete,
                                  &fw_list, &fw_flush,  &fw_reset,   &fw_policy};
constexpr std::array kSets = {&set_create, &set_add, &set_delete, &set_list, &set_flush};
constexpr std::array kBalancer = {
    &lb_service_add, &lb_service_delete, &lb_service_list, &lb_backend_add, &lb_backend_delete,
    &lb_backend_set, &lb_backend_list,   &lb_set,          &lb_flows, &lb_which};
constexpr std::array kLooking = {&stats, &ledger, &explain, &capture};
constexpr std::array kTracing = {&trace, &count, &rate, &hist, &top,
                                 &leaks, &drops, &path, &why,  &probes};
constexpr std::array kBench = {&bench_all,   &bench_run,     &bench_net,
                               &bench_apps,  &bench_control, &bench_trace,
                               &bench_insns, &bench_compare, &bench_report};

constexpr std::array<VerbGroup, 8> kGroups = {{{"Interfaces", kInterfaces},
                                               {"Configuration", kConfiguration},
                                               {"Firewall", kFirewall},
                                               {"Sets", kSets},
                                               {"Load balancer", kBalancer},
                                               {"Looking", kLooking},
                                               {"Tracing", kTracing},
                                               {"Bench", kBench}}};

template <std::size_t N>
constexpr auto joined() {
    std::array<const Verb*, N> all{};
    std::size_t at = 0;
    for (const VerbGroup& group : kGroups) {
        for (const Verb* verb : group.verbs) {
            all[at++] = verb;
        }
    }
    return all;
}

constexpr auto kAll =
    joined<kInterfaces.size() + kConfiguration.size() + kFirewall.size() + kSets.size() +
           kBalancer.size() + kLooking.size() + kTracing.size() + kBench.size()>();

} // namespace

std::span<const VerbGroup> verb_groups() {
    return kGroups;
}

std::span<const Verb* const> all_verbs() {
    return kAll;
}

} // namespace weir::verbs
