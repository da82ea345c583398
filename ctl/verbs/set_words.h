#pragma once

#include "model/config.h"
#include "verbs/words.h"

namespace weir::verbs {

// Elements as they stand on a line: `a b`, `a, b`, `{ a, b }`; each word still as text.
Words element_words(const Words& words);
// The set of that name; refused with the nearest of the names there are.
Result<model::Set*> find_set(model::Config& config, const std::string& name);

} // namespace weir::verbs
