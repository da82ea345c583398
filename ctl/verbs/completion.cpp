#include <fmt/format.h>
#include <map>
#include <set>

#include "verbs/command_line.h"
#include "verbs/help.h"

namespace weir::verbs {
namespace {

// Words that may follow each beginning: "weir" -> "apply attach … fw …", "weir fw" -> "add …".
// (bash takes no empty key.)
std::map<std::string, std::set<std::string>> next_words() {
    std::map<std::string, std::set<std::string>> next;
    for (const Verb* verb : all_verbs()) {
        std::string before = "weir";
        std::string_view rest = verb->path;
        while (!rest.empty()) {
            const std::string word(rest.substr(0, rest.find(' ')));
            next[before].insert(word);
            before += " " + word;
            rest.remove_prefix(std::min(rest.size(), word.size() + 1));
        }
    }
    return next;
}

std::string option_words(const po::options_description& options) {
    std::string words;
    for (const auto& option : options.options()) {
        words += (words.empty() ? "--" : " --") + option->long_name();
    }
    return words;
}

constexpr std::string_view kFunction = R"bash(
_weir() {
    local word path=weir current="${COMP_WORDS[COMP_CWORD]}" i
    for ((i = 1; i < COMP_CWORD; i++)); do
        word="${COMP_WORDS[i]}"
        [[ $word == -* ]] && continue
        [[ " ${_weir_next[$path]-} " == *" $word "* ]] || break
        path="$path $word"
    done
    local words=""
    case ${COMP_WORDS[COMP_CWORD-1]} in
    --pins) compopt -o dirnames; return ;;
    --pcap) compopt -o default; return ;;
    --dev) words=$(ls /sys/class/net) ;;
    --mode) words="auto native generic" ;;
    --hook) words="xdp tc-ingress tc-egress" ;;
    --role) words="balancer filter decap" ;;
    --forward) words="ipip l2dsr" ;;
    *)
        case $path in
        *) words=${_weir_next[$path]-} ;;&
        weir\ apply | weir\ diff) compopt -o default ;;
        weir\ attach | weir\ detach) words=$(ls /sys/class/net) ;;
        weir\ fw\ *) words="ingress egress" ;;
        esac
        [[ $current == -* ]] && words="$_weir_globals ${_weir_options[$path]-}"
        ;;
    esac
    COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _weir weir
)bash";

} // namespace

std::string bash_completion() {
    po::options_description globals;
    add_global_options(globals);
    std::string out = "# bash completion for weir " WEIR_VERSION ", made from its verbs\n"
                      "declare -gA _weir_next=(\n";
    for (const auto& [before, words] : next_words()) {
        std::string list;
        for (const std::string& word : words) {
            list += (list.empty() ? "" : " ") + word;
        }
        out += fmt::format("    [\"{}\"]=\"{}\"\n", before, list);
    }
    out += ")\ndeclare -gA _weir_options=(\n";
    for (const Verb* verb : all_verbs()) {
        if (const std::string words = option_words(options_of(*verb)); !words.empty()) {
            out += fmt::format("    [\"weir {}\"]=\"{}\"\n", verb->path, words);
        }
    }
    return out + fmt::format(")\n_weir_globals=\"{}\"\n", option_words(globals)) +
           std::string(kFunction);
}

} // namespace weir::verbs
