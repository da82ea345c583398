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

// One command. Each has a file of its own in this folder and one line in registry.cpp.
struct Verb {
    std::string_view path;     // "fw add"
    std::string_view operands; // "[ingress|egress] RULE...", for help and the manual page
    std::string_view summary;  // one line
    std::string_view details;  // a paragraph and examples, for --help and the reference
    // Adds the verb's own options.
    void (*options)(po::options_description& add);
    // `words` are the operands in order, options taken out.
    Result<> (*run)(const po::variables_map& options, const std::vector<std::string>& words,
                    Context& cx);
};

std::span<const Verb* const> all_verbs();

} // namespace weir::verbs
