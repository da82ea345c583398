// Reading maps, lists and words of the tree, with refusals that say what was expected.
#include <map>

#include "text/config_tree.h"

namespace weir::text {
namespace {

constexpr std::size_t kShownMax = 60; // octets

// A word for a message: on one line, and not endless.
std::string shown(std::string_view word) {
    std::string text = "'" + std::string(word.substr(0, kShownMax));
    for (char& c : text) {
        c = static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
    }
    return text + (word.size() > kShownMax ? "…'" : "'");
}

tl::unexpected<TextError> wrong_kind(const Node& node, std::string_view what,
                                     std::string_view expected) {
    const std::string found = node.kind == Node::Kind::kScalar ? "'" + node.text + "'"
                                                               : std::string(kind_name(node.kind));
    return tl::unexpected(TextError{node.place, std::string(what) + ": expected " +
                                                    std::string(expected) + ", not " + found});
}

std::string joined(const std::vector<std::string_view>& words) {
    std::string text;
    for (const std::string_view word : words) {
        text += (text.empty() ? "" : ", ") + std::string(word);
    }
    return text;
}

// "unknown key 'polcy' of ingress: expected policy, rules; did you mean 'policy'?"
tl::unexpected<TextError> unknown_word(const Node& node, std::string_view what,
                                       const std::string& where,
                                       const std::vector<std::string_view>& known) {
    const std::string near = did_you_mean(node.text, known);
    return refuse(node, "unknown " + std::string(what) + " " + shown(node.text) + where +
                            ": expected " + joined(known) +
                            (near.empty() ? "" : "; did you mean '" + near + "'?"));
}

} // namespace

tl::unexpected<TextError> refuse(const Node& node, std::string message) {
    return tl::unexpected(TextError{node.place, std::move(message)});
}

Parsed<std::string> read_scalar(const Node& node, std::string_view what) {
    if (node.kind != Node::Kind::kScalar) {
        return tl::unexpected(TextError{node.place, "expected " + std::string(what) + ", not " +
                                                        std::string(kind_name(node.kind))});
    }
    if (node.text.find('\0') != std::string::npos) {
        return refuse(node, "expected " + std::string(what) + ", not a NUL character");
    }
    return node.text;
}

Parsed<std::size_t> read_choice(const Node& node, std::string_view what,
                                const std::vector<std::string_view>& choice) {
    WEIR_PARSE(const std::string word,
               read_scalar(node, std::string(what) + ": " + joined(choice)));
    for (std::size_t i = 0; i < choice.size(); i++) {
        if (choice[i] == word) {
            return i;
        }
    }
    return unknown_word(node, what, "", choice);
}

Parsed<void> read_list(const Tree& tree, const Node& list, std::string_view what,
                       const ReadItem& read) {
    if (list.kind == Node::Kind::kNull) {
        return {};
    }
    if (list.kind != Node::Kind::kList) {
        return wrong_kind(list, what, "a list");
    }
    for (std::size_t i = 0; i < list.children.size(); i++) {
        WEIR_PARSE_CHECK(read(tree.child(list, i)));
    }
    return {};
}

Parsed<void> read_pairs(const Tree& tree, const Node& map, std::string_view what,
                        const ReadPair& read) {
    if (map.kind == Node::Kind::kNull) {
        return {};
    }
    if (map.kind != Node::Kind::kMap) {
        return wrong_kind(map, what, "a map of keys and values");
    }
    std::map<std::string_view, Place> seen;
    for (std::size_t i = 0; i < map.children.size(); i += 2) {
        const Node& key = tree.child(map, i);
        if (key.kind != Node::Kind::kScalar) {
            return wrong_kind(key, what, "a word as key");
        }
        const auto [first, added] = seen.emplace(key.text, key.place);
        if (!added) {
            return tl::unexpected(TextError{
                key.place, "key " + shown(key.text) + " is given twice in " + std::string(what) +
                               ": first in line " + std::to_string(first->second.line)});
        }
        WEIR_PARSE_CHECK(read(key, tree.child(map, i + 1)));
    }
    return {};
}

Parsed<void> read_map(const Tree& tree, const Node& map, std::string_view what,
                      const std::vector<Key>& keys) {
    std::vector<std::string_view> known;
    for (const Key& key : keys) {
        known.push_back(key.name);
    }
    std::map<std::string_view, const Node*> values;
    WEIR_PARSE_CHECK(
        read_pairs(tree, map, what, [&](const Node& key, const Node& value) -> Parsed<void> {
            for (const Key& k : keys) {
                if (k.name == key.text) {
                    values[k.name] = &value;
                    return {};
                }
            }
            return unknown_word(key, "key", " of " + std::string(what), known);
        }));
    for (const Key& key : keys) {
        if (const auto value = values.find(key.name); value != values.end()) {
            WEIR_PARSE_CHECK(key.read(*value->second));
        }
    }
    return {};
}

} // namespace weir::text
