#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "base/result.h"
#include "kernel/node.h"
#include "kernel/rings.h"

// The flow table: flows of buckets that changed not long ago.
namespace weir::kernel {

// Empties the entries that name one of these backends: their indices are about to be given away.
Result<> forget_flows_of(const Node& node, const std::vector<model::Slot>& backends);

// Buckets of each service for which a living entry names another backend than the current one.
Result<std::map<model::Slot, std::vector<bool>>> foreign_buckets(const Node& node,
                                                                 const Rings& rings,
                                                                 const RingOfService& services);

} // namespace weir::kernel
