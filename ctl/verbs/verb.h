#pragma once

#include <boost/program_options.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "kernel/pins.h"
#include "output/output.h"

namespace weir::verbs {

namespace po = boost::program_options;

// What every verb is given.
struct Context {
    kernel::Pins pins;
    output::Output& out;
};

// How a verb's operands are told from options.
enum class Operands {
    kPlain, // options anywhere on the line
    // Words of a rule or of a packet, which may begin with a dash: the verb's own options stand
    // before the first of them, the global ones anywhere but behind the word `comment`.
    kRule,
};

// One command. Each has a file of its own in this folder and one line in registry.cpp.
struct Verb {
    std::string_view path;     // "fw add"
    std::string_view operands; // "[ingress|egress] RULE...", for help and the manual page
    std::string_view summary;  // one line
    std::string_view details;  // a paragraph and examples, for --help and the reference
    // Adds the verb's own options; null where it has none.
    void (*options)(po::options_description& add) = nullptr;
    // `words` are the operands in order, options taken out.
    Result<> (*run)(const po::variables_map& options, const std::vector<std::string>& words,
                    Context& cx) = nullptr;
    Operands words = Operands::kPlain;
};

// Verbs that are shown together by `weir --help` and in the manual.
struct VerbGroup {
    std::string_view title;
    std::span<const Verb* const> verbs;
};

std::span<const VerbGroup> verb_groups();
// All of them, in the order of the groups.
std::span<const Verb* const> all_verbs();

} // namespace weir::verbs
