#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/result.h"

namespace weir::kernel {

// How often a BPF program ran, and for how long, since the kernel began to count it.
struct ProgramTimes {
    std::uint32_t id = 0;
    std::string type; // "xdp", "sched_cls", "tracing", …
    std::string name; // in full, where its types tell it
    std::uint64_t runs = 0;
    std::uint64_t nanoseconds = 0;
};

// The kernel counts runs and their time for as long as the descriptor is open (BPF_ENABLE_STATS,
// 5.8): it reads a clock before and behind each run of every program.
Result<Fd> count_run_times();
// Of every program that is loaded.
Result<std::vector<ProgramTimes>> program_times();

// A program on an interface of this network namespace.
struct ProgramPlace {
    std::uint32_t program = 0;
    std::string place; // "eth0 xdp", "eth0 ingress"
};
Result<std::vector<ProgramPlace>> program_places();

} // namespace weir::kernel
