#include "verbs/rule_words.h"

#include <algorithm>
#include <fmt/format.h>
#include <limits>

#include "output/units.h"
#include "text/rule_text.h"
#include "verbs/change.h"

namespace weir::verbs {
namespace {

using model::ChainName;

// The words that a rule can begin with: none of them is a mistyped chain.
bool begins_rule(std::string_view word) {
    const auto fields = model::all_fields();
    return word == "counter" || word == "accept" || word == "drop" || word == "comment" ||
           std::any_of(fields.begin(), fields.end(), [&](const model::FieldInfo& field) {
               return field.keyword.substr(0, field.keyword.find(' ')) == word;
           });
}

Result<std::optional<ChainName>> parse_chain(const std::string& word) {
    for (const ChainName chain : {ChainName::kIngress, ChainName::kEgress}) {
        if (word == model::name(chain)) {
            return chain;
        }
    }
    if (!begins_rule(word) && word.find(' ') == std::string::npos) {
        const std::string near = text::did_you_mean(word, {"ingress", "egress"});
        if (!near.empty()) {
            return usage(fmt::format("unknown chain '{}': expected ingress or egress; did you mean "
                                     "'{}'?",
                                     word, near));
        }
    }
    return std::optional<ChainName>{};
}

std::optional<Place::By> parse_by(const std::string& word) {
    if (word == "position" || word == "handle") {
        return Place::By::kHandle;
    }
    return word == "index" ? std::optional(Place::By::kIndex) : std::nullopt;
}

} // namespace

Result<Place> parse_place(const Words& words) {
    Place place;
    std::size_t at = 0;
    if (at < words.size()) {
        WEIR_TRY(place.chain, parse_chain(words[at]));
        at += place.chain ? 1 : 0;
    }
    if (at < words.size()) {
        if (const auto by = parse_by(words[at])) {
            WEIR_TRY(const auto number, operand(words, at + 1, "the number behind " + words[at]));
            WEIR_TRY(const auto value,
                     parse_number(number, words[at], 0, std::numeric_limits<model::Handle>::max()));
            place.by = *by;
            place.number = static_cast<std::uint32_t>(value);
            at += 2;
        }
    }
    place.rest.assign(words.begin() + static_cast<std::ptrdiff_t>(at), words.end());
    return place;
}

model::ChainName chain_or_ingress(const Place& place) {
    return place.chain.value_or(ChainName::kIngress);
}

std::string rule_text(const Words& words) {
    if (words.size() == 1) {
        return words.front();
    }
    std::string text;
    for (std::size_t i = 0; i < words.size(); i++) {
        const bool unquoted = i > 0 && words[i - 1] == "comment" && !words[i].starts_with('"');
        text += i == 0 ? "" : " ";
        text += unquoted ? "\"" + words[i] + "\"" : words[i];
    }
    return text;
}

Result<model::Rule> parse_rule_words(const Words& words) {
    if (words.empty()) {
        return usage("RULE is missing; `--help` shows the usage");
    }
    std::vector<text::Warning> warnings;
    auto rule = text::parse_rule(rule_text(words), warnings);
    if (!rule) {
        return fail(Error(text::to_error(rule.error(), "").message(), Fault::kUsage));
    }
    warn_all(warnings);
    return *std::move(rule);
}

Result<Found> find_rule(const model::Config& config, std::optional<ChainName> chain,
                        model::Handle handle) {
    for (const ChainName name : {ChainName::kIngress, ChainName::kEgress}) {
        const auto& rules = config.chain(name).rules;
        const auto found = std::find_if(rules.begin(), rules.end(), [&](const model::Rule& rule) {
            return rule.handle == handle;
        });
        if ((!chain || *chain == name) && found != rules.end()) {
            return Found{name, static_cast<std::size_t>(found - rules.begin())};
        }
    }
    const std::string where = chain ? fmt::format(" in chain {}", model::name(*chain)) : "";
    return fail(
        fmt::format("no rule with handle {}{}: `weir fw list` shows the handles", handle, where));
}

Result<Found> find_place(const model::Config& config, const Place& place) {
    if (place.by == Place::By::kHandle) {
        return find_rule(config, place.chain, place.number);
    }
    const ChainName chain = chain_or_ingress(place);
    const std::size_t count = config.chain(chain).rules.size();
    if (place.number >= count) {
        return fail(fmt::format("no rule with index {} in chain {}: it has {}, from index 0",
                                place.number, model::name(chain), output::counted(count, "rule")));
    }
    return Found{chain, place.number};
}

} // namespace weir::verbs
