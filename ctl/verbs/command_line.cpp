#include "verbs/command_line.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <limits>
#include <set>

#include "text/rule_text.h"

namespace weir::verbs {
namespace {

// "; did you mean 'x'?", or nothing.
std::string hint(std::string_view word, const std::vector<std::string_view>& known) {
    const std::string near = text::did_you_mean(word, known);
    return near.empty() ? "" : fmt::format("; did you mean '{}'?", near);
}

bool begins_family(std::string_view family, std::string_view path) {
    return path.size() > family.size() && path.starts_with(family) && path[family.size()] == ' ';
}

const Verb* find_verb(std::string_view path) {
    const auto verbs = all_verbs();
    const auto found =
        std::find_if(verbs.begin(), verbs.end(), [&](const Verb* v) { return v->path == path; });
    return found == verbs.end() ? nullptr : *found;
}

bool is_family(std::string_view words) {
    const auto verbs = all_verbs();
    return std::any_of(verbs.begin(), verbs.end(),
                       [&](const Verb* v) { return begins_family(words, v->path); });
}

// What may follow the words of a family: "add", "service".
std::vector<std::string_view> next_words(std::string_view family) {
    std::set<std::string_view> next;
    for (const Verb* verb : all_verbs()) {
        if (family.empty() || begins_family(family, verb->path)) {
            const std::string_view rest =
                family.empty() ? verb->path : verb->path.substr(family.size() + 1);
            next.insert(rest.substr(0, rest.find(' ')));
        }
    }
    return {next.begin(), next.end()};
}

tl::unexpected<Error> unknown_verb(const std::string& family, const std::string& word) {
    const auto known = next_words(family);
    const std::string where = family.empty() ? "" : family + " ";
    return usage(fmt::format("unknown verb '{}{}'{}; `weir {}--help` lists them", where, word,
                             hint(word, known), where));
}

// One walk over the words of the command line.
class LineReader {
public:
    explicit LineReader(const std::vector<std::string>& args) : args_(args) {}

    Result<Invocation> read() {
        add_global_options(known_);
        while (at_ < args_.size()) {
            WEIR_CHECK(take_word());
        }
        WEIR_CHECK(store_options());
        return std::move(found_);
    }

private:
    Result<> take_word() {
        const std::string& word = args_[at_++];
        if (all_operands_) {
            found_.words.push_back(word);
            return {};
        }
        if (word == "--" && (found_.verb != nullptr || found_.family.empty())) {
            all_operands_ = true;
            return {};
        }
        if (is_option(word)) {
            return take_option(word);
        }
        return found_.verb != nullptr ? take_operand(word) : take_verb_word(word);
    }

    // A rule's own words are never options, whatever they look like.
    bool is_option(const std::string& word) const {
        const bool dashed =
            word.size() > 1 && word[0] == '-' && !(word[1] >= '0' && word[1] <= '9');
        if (found_.verb == nullptr || found_.verb->words == Operands::kPlain ||
            found_.words.empty()) {
            return dashed;
        }
        static constexpr std::array<std::string_view, 3> kSwitches = {"--json", "--help", "--pins"};
        return found_.words.back() != "comment" &&
               (word.starts_with("--pins=") ||
                std::find(kSwitches.begin(), kSwitches.end(), word) != kSwitches.end());
    }

    Result<> take_verb_word(const std::string& word) {
        if (word == "help" && found_.family.empty()) {
            found_.help = true;
            return {};
        }
        const std::string path = found_.family.empty() ? word : found_.family + " " + word;
        if (const Verb* verb = find_verb(path)) {
            found_.verb = verb;
            if (verb->options != nullptr) {
                verb->options(known_);
            }
            return {};
        }
        if (!is_family(path)) {
            return unknown_verb(found_.family, word);
        }
        found_.family = path;
        return {};
    }

    Result<> take_operand(const std::string& word) {
        found_.words.push_back(word);
        return {};
    }

    Result<> take_option(const std::string& word) {
        const std::size_t equals = word.find('=');
        std::string name = word.substr(0, equals);
        const po::option_description* option = find_option(name);
        if (option == nullptr) {
            return unknown_option(name);
        }
        name = "--" + option->long_name();
        const bool takes_value = option->semantic()->max_tokens() > 0;
        if (equals != std::string::npos && (!takes_value || equals + 1 == word.size())) {
            return usage(takes_value ? fmt::format("{} needs a value behind the '='", name)
                                     : fmt::format("{} takes no value", name));
        }
        if (equals != std::string::npos || !takes_value) {
            return keep_option(name + (equals == std::string::npos ? "" : word.substr(equals)),
                               takes_value);
        }
        return take_value(name, *option);
    }

    // "--number" or "-n".
    const po::option_description* find_option(const std::string& name) const {
        const bool is_long = name.starts_with("--");
        if (is_long || name.size() == 2) {
            return known_.find_nothrow(is_long ? name.substr(2) : name, false);
        }
        return nullptr;
    }

    // The next word, whatever it is: `--weight -1` is an error of the value, not an option. One
    // that need not be there is a number, or an expression.
    Result<> take_value(const std::string& name, const po::option_description& option) {
        const bool optional = option.semantic()->min_tokens() == 0;
        const bool expression = option.semantic()->name().starts_with("[=EXPR");
        const auto fits = [&](const std::string& word) {
            return !optional || (word[0] >= '0' && word[0] <= '9') || word[0] == '.' ||
                   (expression && word[0] != '-');
        };
        const bool there = at_ < args_.size() && !args_[at_].empty() && fits(args_[at_]);
        if (there) {
            return keep_option(name + "=" + args_[at_++], true);
        }
        if (optional) {
            return keep_option(name, true);
        }
        return usage(fmt::format("{} needs a value", name));
    }

    // A switch given twice says no more than once.
    Result<> keep_option(std::string option, bool repeatable) {
        if (repeatable || std::find(options_.begin(), options_.end(), option) == options_.end()) {
            options_.push_back(std::move(option));
        }
        return {};
    }

    tl::unexpected<Error> unknown_option(const std::string& name) const {
        std::vector<std::string> names;
        for (const auto& option : known_.options()) {
            names.push_back("--" + option->long_name());
        }
        const std::vector<std::string_view> known(names.begin(), names.end());
        const std::string where = found_.verb ? std::string(found_.verb->path) + " " : "";
        return usage(fmt::format("unknown option '{}'{}; `weir {}--help` lists them", name,
                                 hint(name, known), where));
    }

    // Boost answers what it does not like with exceptions.
    Result<> store_options() {
        try {
            namespace style = po::command_line_style;
            po::store(po::command_line_parser(options_)
                          .options(known_)
                          .style(style::allow_long | style::long_allow_adjacent)
                          .run(),
                      found_.options);
            po::notify(found_.options);
        } catch (const po::error& error) {
            return usage(error.what());
        }
        found_.json = found_.options.count("json") > 0;
        found_.help = found_.help || found_.options.count("help") > 0;
        found_.version = found_.options.count("version") > 0;
        if (found_.options.count("pins") > 0) {
            found_.pins = found_.options["pins"].as<std::string>();
        }
        return {};
    }

    const std::vector<std::string>& args_;
    std::size_t at_ = 0;
    bool all_operands_ = false;
    po::options_description known_;
    std::vector<std::string> options_; // each as "--name=value" or "--name"
    Invocation found_;
};

} // namespace

void add_global_options(po::options_description& add) {
    add.add_options()("json", "print JSON, with its version under \"schema\"")(
        "pins", po::value<std::string>()->value_name("DIR"),
        "directory of the pinned state; also WEIR_PINS [/sys/fs/bpf/weir]")(
        "help,h", "print help and exit")("version,V", "print the version and exit");
}

po::options_description options_of(const Verb& verb) {
    po::options_description options;
    if (verb.options != nullptr) {
        verb.options(options);
    }
    return options;
}

Result<Invocation> parse_command_line(const std::vector<std::string>& args) {
    return LineReader(args).read();
}

} // namespace weir::verbs
