#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "bench/traffic.h"
#include "kernel/node.h"
#include "model/config.h"

namespace weir::bench {

// One figure: a program of Weir, given certain packets, under the configuration of its set-up.
struct Case {
    std::string name = {}; // "fw4-1000-last", as `weir bench run --only` takes it
    std::string what = {}; // one sentence
    kernel::Program program = kernel::Program::kIngress;
    int expect = 0; // what every lap must be answered: XDP_*, TC_ACT_*
    std::function<Traffic()> traffic = {};
    // A line of a plot and the place on it (rules, flows, …); "" where the figure stands alone.
    std::string series = {};
    std::uint64_t x = 0;
    // Cheap enough under an emulator, and asked again and again: `weir bench insns` counts it.
    bool counted = false;
};

// A configuration, and what is measured under it.
struct SetUp {
    model::Limits limits = {};
    std::function<std::string()> yaml = {};
    // The configuration before, if what is measured is what a change leaves behind.
    std::function<std::string()> before = {};
    // Nothing is published: what remains is entering, counting and leaving.
    bool bare = false;
    // The routing table decides the next hop: kBenchNetwork is laid out.
    bool routed = false;
    std::vector<Case> cases = {};
};

// `ip -batch` commands that lay out what routed set-ups find: kBackends' network behind `bench0`.
extern const char* const kBenchNetwork;

// All of them, in the order of docs/reference/scenarios.md.
std::vector<SetUp> scenarios();

// By subject; scenarios() joins them.
std::vector<SetUp> parsing_scenarios();
std::vector<SetUp> firewall_scenarios();
std::vector<SetUp> set_scenarios();
std::vector<SetUp> balancer_scenarios();
std::vector<SetUp> tc_scenarios();

} // namespace weir::bench
