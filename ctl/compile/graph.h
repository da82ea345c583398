#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "compile/condition.h"
#include "maps/firewall.h"

namespace weir::compile {

// Builds the decision graph from its ends: a node is made after those that it leads to, and equal
// nodes are made once. So two lists of rules with the same end share it, whichever made it first.
class Graph {
public:
    using Node = std::uint32_t; // the order in which nodes were made

    Node verdict(model::Verdict verdict, std::uint32_t slot);
    Node count(std::uint32_t slot, Node next);
    // Where to go by whether the condition holds; may be `yes` or `no` itself.
    Node test(const Condition& condition, Node yes, Node no);

    std::size_t size() const { return nodes_.size(); }

    // What the map holds: nodes that no root leads to are gone, edges lead forward, node 0 is a
    // sentinel that drops. A root that is a chain's policy becomes FW_POLICY_*.
    struct Image {
        std::vector<fw_node> nodes;
        std::vector<std::uint32_t> roots; // as given
        std::uint32_t rare_facts = 0;     // bit per enum rare_fact: what the nodes test
    };
    Image image(const std::vector<Node>& roots) const;

private:
    enum class Kind : std::uint32_t {
        kRange, // a <= fact <= b
        kMask,  // (fact & a) == b
        kCount, // and go on at `yes`
        kAccept,
        kDrop,
    };
    // A node under construction: it tests a whole fact, wherever that lies in struct facts, and
    // names its edges in the order of making. Without padding, so that equal nodes are equal bytes.
    struct Step {
        std::uint64_t a, b;
        Node yes, no;
        std::uint32_t slot;
        Kind kind;
        std::uint64_t fact;

        bool tests() const { return kind == Kind::kRange || kind == Kind::kMask; }
    };
    struct Hash {
        std::size_t operator()(const Step& s) const;
    };
    struct Equal {
        bool operator()(const Step& a, const Step& b) const;
    };
    struct Span {
        std::uint64_t first, last;
        Node yes;
    };

    static bool same_test(const Step& a, const Step& b);
    static fw_node lowered(const Step& step, const std::vector<std::uint32_t>& index);
    Node make(const Step& step);
    Node branch(Step step, Node yes, Node no);
    Node range(int fact, std::uint64_t first, std::uint64_t last, Node yes, Node no);
    Node mask(int fact, const Masked& masked, Node yes, Node no);
    Node select(int fact, const Span* begin, const Span* end, Node no);
    Node in_any(const Condition& condition, Node yes, Node no);
    Node in_any128(const Condition& condition, Node yes, Node no);

    std::vector<Step> nodes_;
    std::unordered_map<Step, Node, Hash, Equal> made_;
};

} // namespace weir::compile
