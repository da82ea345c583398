#pragma once

#include "kernel/symbols.h"
#include "kernel/tracer.h"
#include "kernel/user_symbols.h"

namespace weir::trace {

// What addresses and stacks are named by.
struct Names {
    const kernel::Symbols& symbols;
    const kernel::Tracer& tracer;
    kernel::ProcessSymbols& processes;
};

} // namespace weir::trace
