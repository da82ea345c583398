#pragma once

#include "kernel/netlink.h"
#include "kernel/node.h"

// Which interfaces can send what XDP redirects to them.
namespace weir::kernel {

// `features`: of its driver; nullptr where the kernel does not tell (before 6.3). Then it is known of the
// software devices alone, and the driver of a real one is taken to be able.
bool can_transmit(const Interface& link, const XdpFeatures* features);

// Writes down what is so now, for the packets.
Result<> note_transmitters(const Node& node);

} // namespace weir::kernel
