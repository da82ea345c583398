#include "verbs/set_words.h"

#include <fmt/format.h>

#include "text/rule_text.h"

namespace weir::verbs {

Words element_words(const Words& words) {
    Words elements;
    std::string current;
    const auto flush = [&] {
        if (!current.empty()) {
            elements.push_back(std::move(current));
            current.clear();
        }
    };
    for (const std::string& word : words) {
        for (const char c : word) {
            if (c == ',' || c == '{' || c == '}' || c == ' ' || c == '\t' || c == '\n') {
                flush();
            } else {
                current += c;
            }
        }
        flush();
    }
    return elements;
}

Result<model::Set*> find_set(model::Config& config, const std::string& name) {
    const auto found = config.sets.find(name);
    if (found != config.sets.end()) {
        return &found->second;
    }
    std::vector<std::string_view> known;
    for (const auto& [other, set] : config.sets) {
        known.push_back(other);
    }
    const std::string near = text::did_you_mean(name, known);
    return fail(fmt::format("no set '{}'{}", name,
                            near.empty() ? ": `weir set create` makes one"
                                         : fmt::format("; did you mean '{}'?", near)));
}

} // namespace weir::verbs
