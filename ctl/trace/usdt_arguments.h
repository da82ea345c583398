#pragma once

#include <string_view>
#include <vector>

#include "trace/scope.h"

namespace weir::trace {

// Where a USDT probe's arguments are, from its note: "-4@%eax 8@-16(%rbp) 4@$5", a size in octets,
// negative if signed, and an operand as the assembler writes it. Steps expect a record of struct
// pt_regs. What a step cannot fetch is `unknown`.
std::vector<PlacedArgument> parse_usdt_arguments(std::string_view arguments);

} // namespace weir::trace
