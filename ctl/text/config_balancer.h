#pragma once

#include <vector>

#include "model/config.h"
#include "text/config_tree.h"

namespace weir::text {

// The value of the key `lb`: a map, or directly the list of services.
Parsed<model::Balancer> read_balancer(const Tree& tree, const Node& node,
                                      std::vector<Warning>& warnings);

} // namespace weir::text
