#pragma once

#include <cstdint>
#include <string>

#include "kernel/probe_list.h"
#include "kernel/symbols.h"

// Perf events that run BPF programs: kprobes, uprobes and tracepoints one by one, and samples. The
// kernel tells of them by a process' descriptor and, from Linux 6.6 on, by their links.
namespace weir::kernel {

// What stands behind the descriptor `fd` of process `pid`. "": no program runs there. Of a sample
// (`perf_event_open` of hardware or of a clock) it tells no more than that it is one.
AttachedProbe perf_probe_of_descriptor(int pid, int fd, const Symbols& symbols);

// What a BPF_LINK_TYPE_PERF_EVENT link is attached to, but for its program. Before 6.6: nothing.
AttachedProbe perf_probe_of_link(int link, const Symbols& symbols);

// How often a kprobe was hit and its program was not asked: within another kprobe, or because the
// kernel waits for as many returns of that function already as it can: for twice as many as there
// are CPUs, and for 10 at least (kernel/kprobes.c). 0: never, before 6.7, or not such a link.
std::uint64_t missed_by_kprobe_link(int link);

// Where nothing else is told.
inline constexpr const char* kPerfEvent = "perf event";

} // namespace weir::kernel
