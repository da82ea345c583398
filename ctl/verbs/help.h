#pragma once

#include <string>

#include "verbs/verb.h"

namespace weir::verbs {

// `weir --help`: the verbs by groups and the options of all.
std::string help();
// `weir fw`: the verbs that begin so.
std::string family_help(std::string_view family);
// `weir fw add --help`.
// What the verb has to say, with the presets that it has.
std::string details_of(const Verb& verb);
std::string verb_help(const Verb& verb);

// weir.8 in man(7) macros, and the completion for bash: made from the verbs by the build.
std::string man_page();
std::string bash_completion();

// How an option is written in help: "--max-rules N", "--watch [SECONDS]".
std::string option_usage(const po::option_description& option);

} // namespace weir::verbs
