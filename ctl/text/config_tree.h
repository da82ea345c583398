#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "text/lexer.h"

// A YAML document as a tree in which every node knows its place.
namespace weir::text {

struct Node {
    enum class Kind { kNull, kScalar, kList, kMap };
    Kind kind = Kind::kNull;
    Place place;
    std::size_t offset = 0; // of its first octet in the document
    std::string text;       // kScalar
    // kList: items; kMap: key, value, key, value, … Indices, because an alias shares its node.
    std::vector<std::uint32_t> children;
};

// "a list", for messages.
std::string_view kind_name(Node::Kind kind);

class Tree {
public:
    // Refuses what is not one YAML document of bounded size and depth.
    static Parsed<Tree> parse(std::string_view yaml);

    const Node& root() const { return nodes_[root_]; }
    const Node& child(const Node& parent, std::size_t i) const {
        return nodes_[parent.children[i]];
    }
    // Place of the octet at `offset` of a scalar's text; the scalar's own where quoting or line
    // breaks hide it.
    Place place_in(const Node& scalar, std::size_t offset) const;

private:
    std::string yaml_;
    std::vector<Node> nodes_;
    std::uint32_t root_ = 0;

    friend class TreeBuilder;
};

// A key that a map may have, and what reads its value.
struct Key {
    std::string_view name;
    std::function<Parsed<void>(const Node& value)> read;
};
// Reads a map's keys in the order of `keys`, which may so depend on those before. Null is an empty
// map. `what` names the map in messages.
Parsed<void> read_map(const Tree& tree, const Node& map, std::string_view what,
                      const std::vector<Key>& keys);
// Calls `read` with each pair of a map whose keys are the user's.
using ReadPair = std::function<Parsed<void>(const Node& key, const Node& value)>;
Parsed<void> read_pairs(const Tree& tree, const Node& map, std::string_view what,
                        const ReadPair& read);
// Calls `read` with each item. Null is an empty list.
using ReadItem = std::function<Parsed<void>(const Node& item)>;
Parsed<void> read_list(const Tree& tree, const Node& list, std::string_view what,
                       const ReadItem& read);
// The text of a scalar, or a refusal that says what was expected.
Parsed<std::string> read_scalar(const Node& node, std::string_view what);
// Index in `choice` of the word that a scalar is, or a refusal with "did you mean".
Parsed<std::size_t> read_choice(const Node& node, std::string_view what,
                                const std::vector<std::string_view>& choice);
// A refusal of this node.
tl::unexpected<TextError> refuse(const Node& node, std::string message);

} // namespace weir::text
