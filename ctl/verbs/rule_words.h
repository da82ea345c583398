#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "model/config.h"
#include "verbs/words.h"

namespace weir::verbs {

// What stands before the rule on the line of a `fw` verb, after nft's syntax.
struct Place {
    std::optional<model::ChainName> chain;
    enum class By { kNothing, kHandle, kIndex } by = By::kNothing;
    std::uint32_t number = 0; // of the handle, or of the rule in its chain, from 0
    Words rest;               // the rule's words
};

// [ingress|egress] [position HANDLE|handle HANDLE|index N] …
Result<Place> parse_place(const Words& words);
// The chain, or ingress where none is named.
model::ChainName chain_or_ingress(const Place& place);

// The rule's text from the words that the shell left of it: one quoted argument, or many words, of
// which the one behind `comment` gets its quotes back.
std::string rule_text(const Words& words);
// Parses it and prints its warnings.
Result<model::Rule> parse_rule_words(const Words& words);

// Where the rule of that handle stands: its chain and its index in it.
struct Found {
    model::ChainName chain{};
    std::size_t index = 0;
};
Result<Found> find_rule(const model::Config& config, std::optional<model::ChainName> chain,
                        model::Handle handle);
// The same by what the line said: handle or index.
Result<Found> find_place(const model::Config& config, const Place& place);

} // namespace weir::verbs
