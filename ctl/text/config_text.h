#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/config.h"
#include "text/rule_text.h"

namespace weir::text {

// Reads a YAML configuration (docs/reference/configuration.md). Handles and slots stay unset.
// `source` is the file's name for messages. Unknown keys are refused, with "did you mean".
Result<model::Config> parse_config(std::string_view yaml, std::string_view source,
                                   std::vector<Warning>& warnings);
// The canonical YAML; parse_config(print_config(c)) says the same as c.
std::string print_config(const model::Config& config);

// The configuration with handles, slots and identities, as kept in the `states` map: JSON.
struct SavedState {
    model::Config config;
    model::Identities ids;
};
std::string save_state(const SavedState& state);
Result<SavedState> load_state(std::string_view json);

// One line of `weir diff`: what `to` adds (+), removes (-) or changes (~), in the words of the CLI.
struct Change {
    char sign;
    std::string text;
};
// Empty if and only if both say the same. The order of services, of backends and of elements says
// nothing; that of rules does.
std::vector<Change> diff(const model::Config& from, const model::Config& to);

} // namespace weir::text
