#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace weir::kernel {

// A probe that is in the kernel now, anybody's.
struct AttachedProbe {
    std::string kind =
        {}; // "kprobe", "fentry", "tracepoint", "uprobe", "kprobe.multi", "ftrace", …
    // "vfs_read", "kfree_skb", "/lib/libc.so.6:malloc", "PROGRAM:function"; "": it is not told
    std::string where = {};
    std::string file = {};     // of uprobes
    std::uint64_t offset = 0;  // of uprobes in their file, octets
    std::uint32_t program = 0; // its BPF program's id; 0: none
    std::string program_name = {};
    int pid = 0; // who holds it; 0: nobody, or nobody that can be seen
    std::string comm = {};
    std::string pin = {}; // what keeps it without a process; "": nothing
};

// By the kernel's lists (kprobes/list of debugfs, enabled_functions of tracefs), bpf(2)'s links,
// and the descriptors of every process (BPF_TASK_FD_QUERY). What two of these tell is told once.
Result<std::vector<AttachedProbe>> attached_probes();

} // namespace weir::kernel
