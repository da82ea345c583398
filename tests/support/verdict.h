#pragma once

#include "kernel/node.h"
#include "maps/interface.h"
#include "maps/reason.h"

namespace weir::test {

// The hook whose books a program keeps.
hook hook_of(kernel::Program program);

// What a program's return value says; VERDICT_COUNT: nothing that a program of Weir may answer.
verdict verdict_of(kernel::Program program, int action);

} // namespace weir::test
