#include "compile/graph.h"

#include <cstring>
#include <string_view>
#include <utility>

namespace weir::compile {
namespace {

constexpr Graph::Node kNone = 0xffffffff;
// Up to this many intervals are asked for one by one; more are halved first.
constexpr int kLinear = 4;

bool same_test(const fw_node& a, const fw_node& b) {
    return a.kind == b.kind && a.fact == b.fact && a.a == b.a && a.b == b.b;
}

} // namespace

std::size_t Graph::Hash::operator()(const fw_node& n) const {
    return std::hash<std::string_view>{}({reinterpret_cast<const char*>(&n), sizeof n});
}

bool Graph::Equal::operator()(const fw_node& a, const fw_node& b) const {
    return std::memcmp(&a, &b, sizeof a) == 0;
}

Graph::Node Graph::make(const fw_node& node) {
    const auto [at, fresh] = made_.try_emplace(node, static_cast<Node>(nodes_.size()));
    if (fresh) {
        nodes_.push_back(node);
    }
    return at->second;
}

Graph::Node Graph::verdict(model::Verdict verdict, std::uint32_t slot) {
    return make(
        {.a = 0,
         .b = 0,
         .yes = kNone,
         .no = kNone,
         .slot = slot,
         .fact = 0,
         .kind = static_cast<__u16>(verdict == model::Verdict::kAccept ? FW_ACCEPT : FW_DROP)});
}

Graph::Node Graph::count(std::uint32_t slot, Node next) {
    return make(
        {.a = 0, .b = 0, .yes = next, .no = kNone, .slot = slot, .fact = 0, .kind = FW_COUNT});
}

Graph::Node Graph::branch(fw_node node, Node yes, Node no) {
    // An edge to the same test: its answer is known.
    while (same_test(nodes_[yes], node)) {
        yes = nodes_[yes].yes;
    }
    while (same_test(nodes_[no], node)) {
        no = nodes_[no].no;
    }
    if (yes == no) {
        return yes;
    }
    node.yes = yes;
    node.no = no;
    return make(node);
}

Graph::Node Graph::range(int fact, std::uint64_t first, std::uint64_t last, Node yes, Node no) {
    return branch({.a = first,
                   .b = last,
                   .yes = kNone,
                   .no = kNone,
                   .slot = FW_NO_SLOT,
                   .fact = static_cast<__u16>(fact),
                   .kind = FW_RANGE},
                  yes, no);
}

// Sorted disjoint spans, each with its own target: binary search, then a short chain.
Graph::Node Graph::select(int fact, const Span* begin, const Span* end, Node no) {
    if (end - begin > kLinear) {
        const Span* middle = begin + (end - begin) / 2;
        const Node upper = select(fact, middle, end, no);
        const Node lower = select(fact, begin, middle, no);
        return range(fact, 0, middle[-1].last, lower, upper);
    }
    Node next = no;
    for (const Span* span = end; span-- != begin;) {
        next = range(fact, span->first, span->last, span->yes, next);
    }
    return next;
}

Graph::Node Graph::in_any(const Condition& condition, Node yes, Node no) {
    std::vector<Span> spans;
    for (const model::Interval& i : condition.any) {
        spans.push_back({i.first.lo, i.last.lo, yes});
    }
    return select(condition.fact, spans.data(), spans.data() + spans.size(), no);
}

// 128-bit intervals: spans of the upper half under which the lower half does not matter, and single
// upper halves that leave the decision to it.
Graph::Node Graph::in_any128(const Condition& condition, Node yes, Node no) {
    struct Half {
        std::uint64_t first, last;
        std::vector<Span> lower; // empty: whatever the lower half
    };
    std::vector<Half> halves;
    const auto at = [&](std::uint64_t upper, std::uint64_t first, std::uint64_t last) {
        if (halves.empty() || halves.back().last != upper) {
            halves.push_back({upper, upper, {}});
        }
        halves.back().lower.push_back({first, last, yes});
    };
    for (const auto& [first, last] : condition.any) {
        if (first.hi == last.hi && (first.lo != 0 || last.lo != kMax64)) {
            at(first.hi, first.lo, last.lo);
            continue;
        }
        if (first.lo != 0) {
            at(first.hi, first.lo, kMax64);
        }
        // Written so that neither end overflows: a partial end leaves at least one step inside.
        const std::uint64_t from = first.hi + (first.lo != 0);
        const std::uint64_t to = last.hi - (last.lo != kMax64);
        if (from <= to) {
            halves.push_back({from, to, {}});
        }
        if (last.lo != kMax64) {
            at(last.hi, 0, last.lo);
        }
    }
    std::vector<Span> spans;
    for (const Half& h : halves) {
        const Node target = h.lower.empty() ? yes
                                            : select(condition.fact, h.lower.data(),
                                                     h.lower.data() + h.lower.size(), no);
        spans.push_back({h.first, h.last, target});
    }
    return select(condition.fact_hi, spans.data(), spans.data() + spans.size(), no);
}

Graph::Node Graph::test(const Condition& condition, Node yes, Node no) {
    if (condition.negated) {
        std::swap(yes, no);
    }
    if (condition.masks.empty()) {
        return condition.fact_hi < 0 ? in_any(condition, yes, no) : in_any128(condition, yes, no);
    }
    Node next = no;
    for (auto m = condition.masks.rbegin(); m != condition.masks.rend(); ++m) {
        next = branch({.a = m->mask,
                       .b = m->value,
                       .yes = kNone,
                       .no = kNone,
                       .slot = FW_NO_SLOT,
                       .fact = static_cast<__u16>(condition.fact),
                       .kind = FW_MASK},
                      yes, next);
    }
    return next;
}

Graph::Image Graph::image(const std::vector<Node>& roots) const {
    std::vector<bool> used(nodes_.size());
    for (const Node root : roots) {
        used[root] = true;
    }
    // Edges lead to nodes made before, so one sweep from the last made reaches all.
    std::vector<std::uint32_t> index(nodes_.size(), 0);
    Image image;
    image.nodes.push_back({.a = 0,
                           .b = 0,
                           .yes = kNone,
                           .no = kNone,
                           .slot = FW_NO_SLOT,
                           .fact = 0,
                           .kind = FW_DROP});
    for (std::size_t i = nodes_.size(); i-- > 0;) {
        if (!used[i]) {
            continue;
        }
        index[i] = static_cast<std::uint32_t>(image.nodes.size());
        image.nodes.push_back(nodes_[i]);
        for (const Node edge : {nodes_[i].yes, nodes_[i].no}) {
            if (edge != kNone) {
                used[edge] = true;
            }
        }
    }
    for (fw_node& node : image.nodes) {
        // A node without an edge has the sentinel there: a walk that takes it all the same drops.
        node.yes = node.yes == kNone ? 0 : index[node.yes];
        node.no = node.no == kNone ? 0 : index[node.no];
    }
    for (const Node root : roots) {
        image.roots.push_back(index[root]);
    }
    return image;
}

} // namespace weir::compile
