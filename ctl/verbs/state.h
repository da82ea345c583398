#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "kernel/node.h"
#include "kernel/pins.h"
#include "text/config_text.h"
#include "verbs/verb.h"

namespace weir::verbs {

// The pinned state, and the lock under which it is read or changed.
struct Session {
    kernel::Lock lock;
    kernel::Node node;
};
// Says so where the user may not look at the pins, and what is there cannot be told.
Result<> need_rights(const Context& cx);
// Refused with the way out if Weir is not loaded.
Result<Session> open_session(const Context& cx, kernel::Lock::Mode mode);

// For verbs that only look, and stop nobody meanwhile; nullopt: Weir is not loaded.
Result<std::optional<kernel::Node>> node_if_loaded(const Context& cx);

// The configuration in force, and those that can be rolled back to.
struct Live {
    std::uint64_t generation = 0; // 0: loaded, but nothing published yet
    text::SavedState saved;
    std::vector<text::SavedState> others;
    // Above every handle that any kept generation gave away.
    model::Handle next_handle = 1;
};
Result<Live> read_live(const kernel::Node& node);
// Only the configuration in force, for verbs that look and change nothing.
Result<model::Config> live_config(const kernel::Node& node);

} // namespace weir::verbs
