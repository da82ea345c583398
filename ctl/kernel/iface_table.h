#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "kernel/netlink.h"
#include "kernel/node.h"

// The table `ifaces`: which interface has which role and which rows of counters.
namespace weir::kernel {

Result<std::optional<iface>> find_entry(const Node& node, std::uint32_t ifindex);
std::string name_of(const iface& entry);

// Gives the interface an entry, with the slot that it had, so that its counters go on; an
// interface that was made anew under its old name counts as the same. What is attached stays as
// noted.
Result<> enter_interface(Node& node, const Interface& device, role as);

} // namespace weir::kernel
