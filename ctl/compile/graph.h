#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "compile/condition.h"
#include "maps/firewall.h"

namespace weir::compile {

// Builds the decision graph from its ends: a node is made after those that it leads to, and equal
// nodes are made once. So two lists of rules with the same end share it, whoever made it first.
class Graph {
public:
    using Node = std::uint32_t; // the order in which nodes were made

    Node verdict(model::Verdict verdict, std::uint32_t slot);
    Node count(std::uint32_t slot, Node next);
    // Where to go by whether the condition holds; may be `yes` or `no` itself.
    Node test(const Condition& condition, Node yes, Node no);

    std::size_t size() const { return nodes_.size(); }

    // What the map holds: nodes that no root leads to are gone, edges lead forward, node 0 is a
    // sentinel that drops.
    struct Image {
        std::vector<fw_node> nodes;
        std::vector<std::uint32_t> roots; // as asked for, as indices in `nodes`
    };
    Image image(const std::vector<Node>& roots) const;

private:
    // A node under construction names its edges in the order of making.
    struct Hash {
        std::size_t operator()(const fw_node& n) const;
    };
    struct Equal {
        bool operator()(const fw_node& a, const fw_node& b) const;
    };
    struct Span {
        std::uint64_t first, last;
        Node yes;
    };

    Node make(const fw_node& node);
    Node branch(fw_node node, Node yes, Node no);
    Node range(int fact, std::uint64_t first, std::uint64_t last, Node yes, Node no);
    Node select(int fact, const Span* begin, const Span* end, Node no);
    Node in_any(const Condition& condition, Node yes, Node no);
    Node in_any128(const Condition& condition, Node yes, Node no);

    std::vector<fw_node> nodes_;
    std::unordered_map<fw_node, Node, Hash, Equal> made_;
};

} // namespace weir::compile
