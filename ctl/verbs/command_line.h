#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "verbs/verb.h"

namespace weir::verbs {

// What argv says, before anything is run.
struct Invocation {
    bool json = false;
    bool help = false;
    bool version = false;
    std::string pins;           // "" where --pins is not given
    const Verb* verb = nullptr; // null: no verb, or only the words of a family
    std::string family;         // "fw", "lb service": a family without its verb
    po::variables_map options;  // the verb's own
    std::vector<std::string> words;
};

// The options that every verb takes.
void add_global_options(po::options_description& add);
// The verb's own.
po::options_description options_of(const Verb& verb);

// Errors are the user's (Fault::kUsage), with "did you mean" where a word is near.
Result<Invocation> parse_command_line(const std::vector<std::string>& args);

} // namespace weir::verbs
