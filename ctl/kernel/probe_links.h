#pragma once

#include <vector>

#include "kernel/probe_holders.h"
#include "kernel/probe_list.h"
#include "kernel/symbols.h"

namespace weir::kernel {

// The probes that are links (bpf(2)), with their holders. A perf event that is held by a descriptor
// and by a link is told once.
std::vector<AttachedProbe> look_at_links(Descriptors held, const Symbols& symbols);

} // namespace weir::kernel
