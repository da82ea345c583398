#include "verbs/help.h"

#include "presets/preset.h"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>

#include "verbs/command_line.h"

namespace weir::verbs {
namespace {

// Two columns, the first as wide as its widest cell.
class Lines {
public:
    void add(std::string left, std::string_view right) {
        wide_ = std::max(wide_, left.size());
        lines_.emplace_back(std::move(left), right);
    }
    std::string to_string() const {
        std::string text;
        for (const auto& [left, right] : lines_) {
            text += fmt::format("  {:<{}}  {}\n", left, wide_, right);
        }
        return text;
    }

private:
    std::size_t wide_ = 0;
    std::vector<std::pair<std::string, std::string>> lines_;
};

std::string usage_of(const Verb& verb) {
    std::string line = fmt::format("weir {}", verb.path);
    const auto options = options_of(verb);
    for (const auto& option : options.options()) {
        line += fmt::format(" [{}]", option_usage(*option));
    }
    return verb.operands.empty() ? line : fmt::format("{} {}", line, verb.operands);
}

std::string option_lines(const po::options_description& options) {
    Lines lines;
    for (const auto& option : options.options()) {
        lines.add(option_usage(*option), option->description());
    }
    return lines.to_string();
}

std::string global_option_lines() {
    po::options_description globals;
    add_global_options(globals);
    return option_lines(globals);
}

} // namespace

std::string option_usage(const po::option_description& option) {
    // Boost names it "-n" if it has a short name, and otherwise as the long one is.
    const std::string brief =
        option.canonical_display_name(po::command_line_style::allow_dash_for_short);
    std::string text =
        "--" + option.long_name() + (brief.size() == 2 && brief[0] == '-' ? "|" + brief : "");
    if (option.semantic()->max_tokens() == 0) {
        return text;
    }
    // Boost writes an optional value as "[=NAME(=implicit)]".
    const std::string value = option.semantic()->name();
    if (option.semantic()->min_tokens() == 0 && value.starts_with("[=")) {
        return fmt::format("{} [{}]", text, value.substr(2, value.find('(') - 2));
    }
    return fmt::format("{} {}", text, value);
}

std::string help() {
    std::string text = "Usage: weir [OPTION]... VERB [WORD]...\n\n"
                       "Filters, counts and balances packets in the kernel, by XDP and TC.\n";
    for (const VerbGroup& group : verb_groups()) {
        Lines lines;
        for (const Verb* verb : group.verbs) {
            lines.add(std::string(verb->path), verb->summary);
        }
        text += fmt::format("\n{}:\n{}", group.title, lines.to_string());
    }
    return text + "\nOptions, anywhere on the line:\n" + global_option_lines() +
           "\nExit status: 0 done, 1 refused by the system, 2 wrong usage.\n"
           "`weir VERB --help` says more about one verb; weir(8) has everything.\n";
}

std::string family_help(std::string_view family) {
    Lines lines;
    for (const Verb* verb : all_verbs()) {
        if (verb->path.starts_with(family) && verb->path.substr(family.size()).starts_with(' ')) {
            lines.add(fmt::format("weir {} {}", verb->path, verb->operands), verb->summary);
        }
    }
    return fmt::format("Usage: weir {} VERB [WORD]...\n\n{}\n`weir {} VERB --help` says more.\n",
                       family, lines.to_string(), family);
}

std::string details_of(const Verb& verb) {
    const std::string presets = presets::list(verb.path);
    return std::string(verb.details) + (presets.empty() ? "" : "\nPresets:\n\n" + presets);
}

std::string verb_help(const Verb& verb) {
    std::string summary(verb.summary);
    summary[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(summary[0])));
    std::string text =
        fmt::format("Usage: {}\n\n{}.\n\n{}", usage_of(verb), summary, details_of(verb));
    if (const auto options = options_of(verb); !options.options().empty()) {
        text += "\nOptions:\n" + option_lines(options);
    }
    return text + "\nOptions of every verb:\n" + global_option_lines();
}

} // namespace weir::verbs
