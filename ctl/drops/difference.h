#pragma once

#include "drops/ledger.h"

namespace weir::drops {

// What counters have grown by. A counter that is less than before was reset: all of it is new.
template <typename Number>
Number grown(Number before, Number after) {
    return after >= before ? after - before : after;
}
hook_count grown(const hook_count& before, const hook_count& after);
WeirBooks grown(const WeirBooks& before, const WeirBooks& after);
Losses grown(const Losses& before, const Losses& after);
// Of a queue: `packets` and `drops` by which it has grown; `queued` is left as it is.
Snapshot grown(const Snapshot& before, const Snapshot& after);

} // namespace weir::drops
