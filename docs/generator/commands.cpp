#include <fmt/format.h>

#include "pages.h"
#include "verbs/command_line.h"
#include "verbs/help.h"

namespace weir::docs {
namespace {

using verbs::Verb;

std::string options_table(const verbs::po::options_description& options) {
    if (options.options().empty()) {
        return "";
    }
    std::string text = "\n| option | meaning |\n|---|---|\n";
    for (const auto& option : options.options()) {
        text += fmt::format("| `{}` | {} |\n", cell(verbs::option_usage(*option)),
                            cell(option->description()));
    }
    return text;
}

// Prose as it stands; lines that begin with blanks are examples.
std::string details(std::string_view text) {
    std::string out;
    bool example = false;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        const std::string_view line = text.substr(0, end);
        if (line.starts_with(' ') != example) {
            example = !example;
            out += example ? "```sh\n" : "```\n";
        }
        out += std::string(example && line.starts_with("  ") ? line.substr(2) : line) + "\n";
        text = end == std::string_view::npos ? "" : text.substr(end + 1);
    }
    return out + (example ? "```\n" : "");
}

std::string section(const Verb& verb) {
    const std::string operands = verb.operands.empty() ? "" : " " + std::string(verb.operands);
    return fmt::format("\n### weir {}\n\n`weir {}{}`: {}.\n\n{}{}", verb.path, verb.path, operands,
                       verb.summary, details(verbs::details_of(verb)),
                       options_table(verbs::options_of(verb)));
}

} // namespace

std::string commands_page() {
    verbs::po::options_description globals;
    verbs::add_global_options(globals);
    std::string text =
        "# Commands\n\n"
        "Every verb of `weir`, as `weir VERB --help` and weir(8) have it. Exit codes "
        "and JSON: [output.md](output.md).\n\n## Options of every verb\n" +
        options_table(globals);
    for (const verbs::VerbGroup& group : verbs::verb_groups()) {
        text += fmt::format("\n## {}\n", group.title);
        for (const Verb* verb : group.verbs) {
            text += section(*verb);
        }
    }
    return text;
}

} // namespace weir::docs
