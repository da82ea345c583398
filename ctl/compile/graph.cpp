#include "compile/graph.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstring>
#include <string_view>
#include <utility>

namespace weir::compile {
namespace {

constexpr Graph::Node kNone = 0xffffffff;
// Up to this many intervals are asked for one by one; more are halved first.
constexpr int kLinear = 4;

// Where a fact is in struct facts, and which of enum rare_fact fills it in; 0: it always is.
struct Place {
    std::uint32_t word;
    std::uint64_t mask; // of the fact in that word
    unsigned shift;     // of its lowest bit there
    std::uint32_t rare;
};

constexpr std::uint32_t rare(fact fact) {
    switch (fact) {
    case FACT_ETHER_SADDR:
    case FACT_ETHER_DADDR:
        return RARE_ETHER;
    case FACT_IFNAME_HI:
    case FACT_IFNAME_LO:
        return RARE_IFNAME;
    case FACT_SADDR_SETS:
        return RARE_SADDR_SETS;
    case FACT_DADDR_SETS:
        return RARE_DADDR_SETS;
    case FACT_SPORT_SETS:
        return RARE_SPORT_SETS;
    case FACT_DPORT_SETS:
        return RARE_DPORT_SETS;
    default:
        return 0;
    }
}

constexpr Place place(fact fact, std::size_t offset, std::size_t size, unsigned low,
                      unsigned bits) {
    const std::size_t in_word = offset % sizeof(__u64);
    const auto first = static_cast<unsigned>(
        8 * (std::endian::native == std::endian::little ? in_word
                                                        : sizeof(__u64) - size - in_word));
    const std::uint64_t mask = bits == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bits) - 1;
    return {static_cast<std::uint32_t>(offset / sizeof(__u64)), mask << (first + low), first + low,
            rare(fact)};
}

constexpr Place kPlaces[] = {
#define X(enumerator, member, low, bits)                                                           \
    place(enumerator, offsetof(facts, member), sizeof(facts{}.member), low, bits),
    WEIR_FACTS(X)
#undef X
};

} // namespace

bool Graph::same_test(const Step& a, const Step& b) {
    return a.kind == b.kind && a.fact == b.fact && a.a == b.a && a.b == b.b;
}

std::size_t Graph::Hash::operator()(const Step& s) const {
    return std::hash<std::string_view>{}({reinterpret_cast<const char*>(&s), sizeof s});
}

bool Graph::Equal::operator()(const Step& a, const Step& b) const {
    static_assert(std::has_unique_object_representations_v<Step>);
    return std::memcmp(&a, &b, sizeof a) == 0;
}

Graph::Node Graph::make(const Step& step) {
    const auto [at, fresh] = made_.try_emplace(step, static_cast<Node>(nodes_.size()));
    if (fresh) {
        nodes_.push_back(step);
    }
    return at->second;
}

Graph::Node Graph::verdict(model::Verdict verdict, std::uint32_t slot) {
    return make({.a = 0,
                 .b = 0,
                 .yes = kNone,
                 .no = kNone,
                 .slot = slot,
                 .kind = verdict == model::Verdict::kAccept ? Kind::kAccept : Kind::kDrop,
                 .fact = 0});
}

Graph::Node Graph::count(std::uint32_t slot, Node next) {
    return make({.a = 0,
                 .b = 0,
                 .yes = next,
                 .no = kNone,
                 .slot = slot,
                 .kind = Kind::kCount,
                 .fact = 0});
}

Graph::Node Graph::branch(Step step, Node yes, Node no) {
    // An edge to the same test: its answer is known.
    while (same_test(nodes_[yes], step)) {
        yes = nodes_[yes].yes;
    }
    while (same_test(nodes_[no], step)) {
        no = nodes_[no].no;
    }
    if (yes == no) {
        return yes;
    }
    step.yes = yes;
    step.no = no;
    return make(step);
}

Graph::Node Graph::range(int fact, std::uint64_t first, std::uint64_t last, Node yes, Node no) {
    return branch({.a = first,
                   .b = last,
                   .yes = kNone,
                   .no = kNone,
                   .slot = FW_NO_SLOT,
                   .kind = Kind::kRange,
                   .fact = static_cast<std::uint64_t>(fact)},
                  yes, no);
}

Graph::Node Graph::mask(int fact, const Masked& masked, Node yes, Node no) {
    if (masked.mask == 0) {
        return masked.value == 0 ? yes : no;
    }
    return branch({.a = masked.mask,
                   .b = masked.value,
                   .yes = kNone,
                   .no = kNone,
                   .slot = FW_NO_SLOT,
                   .kind = Kind::kMask,
                   .fact = static_cast<std::uint64_t>(fact)},
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
        next = mask(condition.fact, *m, yes, next);
    }
    return next;
}

// A test of a fact becomes one of the word that it is part of. `index`: of each edge in the image.
fw_node Graph::lowered(const Step& step, const std::vector<std::uint32_t>& index) {
    // A node without an edge has the sentinel there: a walk that takes it all the same drops.
    const auto edge = [&](Node to) { return to == kNone ? 0 : index[to]; };
    if (!step.tests()) {
        const fw_end end = step.kind == Kind::kCount    ? FW_COUNT
                           : step.kind == Kind::kAccept ? FW_ACCEPT
                                                        : FW_DROP;
        return {.mask = 0,
                .first = 0,
                .span = static_cast<__u64>(end),
                .word_yes = edge(step.yes),
                .no = step.slot};
    }
    const Place& place = kPlaces[step.fact];
    const std::uint64_t greatest = place.mask >> place.shift;
    fw_node node{.mask = place.mask,
                 .first = step.a << place.shift,
                 .span = (std::min(step.b, greatest) - step.a) << place.shift,
                 .word_yes = place.word << FW_WORD_SHIFT | edge(step.yes),
                 .no = edge(step.no)};
    if (step.kind == Kind::kMask) {
        node.mask = step.a << place.shift;
        node.first = step.b << place.shift;
        node.span = 0;
    }
    return node;
}

Graph::Image Graph::image(const std::vector<Node>& roots) const {
    const auto is_policy = [&](Node node) {
        return nodes_[node].slot == FW_NO_SLOT && !nodes_[node].tests();
    };
    std::vector<bool> used(nodes_.size());
    for (const Node root : roots) {
        used[root] = !is_policy(root);
    }
    // Edges lead to nodes made before, so one sweep from the last made reaches all.
    std::vector<std::uint32_t> index(nodes_.size(), 0);
    std::vector<Node> order;
    for (std::size_t i = nodes_.size(); i-- > 0;) {
        if (!used[i]) {
            continue;
        }
        order.push_back(static_cast<Node>(i));
        index[i] = static_cast<std::uint32_t>(order.size()); // after the sentinel
        for (const Node edge : {nodes_[i].yes, nodes_[i].no}) {
            if (edge != kNone) {
                used[edge] = true;
            }
        }
    }
    Image image;
    image.nodes.push_back(
        {.mask = 0, .first = 0, .span = FW_DROP, .word_yes = 0, .no = FW_NO_SLOT});
    for (const Node node : order) {
        const Step& step = nodes_[node];
        image.nodes.push_back(lowered(step, index));
        image.rare_facts |= step.tests() ? kPlaces[step.fact].rare : 0;
    }
    for (const Node root : roots) {
        const bool accepts = nodes_[root].kind == Kind::kAccept;
        image.roots.push_back(is_policy(root) ? (accepts ? FW_POLICY_ACCEPT : FW_POLICY_DROP)
                                              : index[root]);
    }
    return image;
}

} // namespace weir::compile
