#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "kernel/probe_list.h"
#include "kernel/symbols.h"

// Who keeps probes in the kernel: processes by descriptors, and pins.
namespace weir::kernel {

struct Holder {
    int pid = 0;
    std::string comm = {};
};

struct Descriptors {
    std::vector<AttachedProbe> perf_events; // those that run a program
    std::map<std::uint32_t, Holder> links;  // by the link's id: the first that is found
};
// Of all processes.
Descriptors look_at_descriptors(const Symbols& symbols);

// Where links are pinned, by their ids, on every bpffs that is mounted here.
std::map<std::uint32_t, std::string> look_at_pins();

} // namespace weir::kernel
