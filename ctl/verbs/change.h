#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "verbs/state.h"

namespace weir::verbs {

// What became of a change.
struct Changed {
    bool published = false;       // false: the configuration said so already, or this was a dry run
    std::uint64_t generation = 0; // the one in force now
    std::vector<text::Change> changes;
    model::Config config; // as in force now, with handles; of a dry run: as it would be
};

// Changes a copy of the configuration in force.
using Edit = std::function<Result<>(model::Config&)>;

// The one walk of every change: lock, read what is in force, edit a copy, check it, compile it,
// publish it as a new generation. On an error nothing has changed.
Result<Changed> change(Context& cx, const Edit& edit);
// The same up to the compiled tables, which are thrown away.
Result<Changed> try_change(Context& cx, const Edit& edit);
// A configuration without a seed keeps the one that flows are hashed with now.
void keep_seed(const model::Config& live, model::Config& wanted);
// Publishes the configuration that is in force after `weir load`: no rules, no services.
Result<> publish_empty(kernel::Node& node);

// Prints `done` ("rule added, handle 7") with the generation, or "no change". `extra` goes into the
// JSON document beside "changed", "generation" and "changes".
void report(Context& cx, const Changed& changed, const std::string& done,
            const output::Json& extra = output::Json::object());
output::Json changes_json(const std::vector<text::Change>& changes);
std::string changes_text(const std::vector<text::Change>& changes);

// Tells the user what was taken otherwise than written; each only once.
void warn_all(const std::vector<text::Warning>& warnings);

} // namespace weir::verbs
