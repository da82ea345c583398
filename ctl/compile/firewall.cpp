#include <algorithm>
#include <array>
#include <bit>
#include <netinet/in.h>
#include <string>

#include "compile/condition.h"
#include "compile/graph.h"
#include "compile/images.h"
#include "compile/packet_kind.h"

namespace weir::compile {
namespace {

constexpr std::uint64_t kEtherIpv4 = 0x0800;
constexpr std::uint64_t kEtherIpv6 = 0x86dd;

// Where a graph is given up while it grows: it holds little that the image would not.
constexpr std::size_t kHopeless = std::size_t{8} * FW_NODES_LIMIT;

// How many kinds of packet have a list of rules of their own. More make shorter walks and more
// nodes.
enum class Detail {
    kTransport, // IPv4 and IPv6 by TCP, UDP, ICMP, other; not IP
    kFamily,    // IPv4, IPv6, not IP
    kNone,      // one list for all
};

struct LoweredRule {
    std::vector<Condition> conditions;
    std::optional<model::Verdict> verdict;
    std::uint32_t slot;
};

struct LoweredChain {
    std::vector<LoweredRule> rules;
    model::Verdict policy;
};

Result<LoweredChain> lower(const model::Config& config, model::ChainName name) {
    const model::Chain& chain = config.chain(name);
    LoweredChain lowered{{}, chain.policy};
    for (const model::Rule& rule : chain.rules) {
        WEIR_TRY(std::vector<Condition> all, conditions(rule, config));
        lowered.rules.push_back({std::move(all), rule.verdict, rule.slot});
    }
    return lowered;
}

// A rule as far as a kind of packet leaves it open.
struct OpenRule {
    const LoweredRule* rule;
    std::vector<const Condition*> open;
};

// None if a packet of this kind cannot match the rule.
std::optional<OpenRule> specialise(const LoweredRule& rule, const PacketKind& kind) {
    OpenRule left{&rule, {}};
    for (const Condition& condition : rule.conditions) {
        switch (kind.truth(condition)) {
        case PacketKind::Truth::kNever:
            return std::nullopt;
        case PacketKind::Truth::kAlways:
            break;
        case PacketKind::Truth::kDepends:
            left.open.push_back(&condition);
            break;
        }
    }
    return left;
}

std::vector<OpenRule> specialise(const LoweredChain& chain, const PacketKind& kind) {
    std::vector<OpenRule> rules;
    for (const LoweredRule& rule : chain.rules) {
        std::optional<OpenRule> left = specialise(rule, kind);
        if (!left) {
            continue;
        }
        const bool last = left->open.empty() && rule.verdict;
        rules.push_back(*std::move(left));
        if (last) {
            break; // nothing of this kind comes past it
        }
    }
    return rules;
}

class ChainBuilder {
public:
    ChainBuilder(Graph& graph, const LoweredChain& chain) : graph_(graph), chain_(chain) {}

    // One node for each kind of packet; kinds that `detail` does not tell apart have the same.
    std::array<Graph::Node, KIND_COUNT> roots(Detail detail) {
        std::array<Graph::Node, KIND_COUNT> roots{};
        if (detail == Detail::kNone) {
            roots.fill(list({}));
            return roots;
        }
        roots[KIND_NOT_IP] = list(not_ip());
        family(kEtherIpv4, IPPROTO_ICMP, detail, &roots[KIND_IPV4_TCP]);
        family(kEtherIpv6, IPPROTO_ICMPV6, detail, &roots[KIND_IPV6_TCP]);
        return roots;
    }

private:
    // Says of the transport what the parser says (maps/facts.h).
    static PacketKind not_ip() {
        return PacketKind{}
            .with(FACT_ETHER_TYPE, complement64({single(kEtherIpv4), single(kEtherIpv6)}))
            .with(FACT_TRANSPORT, {single(L4PROTO_NONE)})
            .with(FACT_L4PROTO, {single(L4PROTO_NONE)});
    }

    // `roots`: of TCP, UDP, ICMP and all other packets of that family, in the order of enum
    // packet_kind.
    void family(std::uint64_t ether_type, std::uint8_t icmp, Detail detail, Graph::Node* roots) {
        const PacketKind ip = PacketKind{}.with(FACT_ETHER_TYPE, {single(ether_type)});
        if (detail == Detail::kFamily) {
            std::fill_n(roots, 4, list(ip));
            return;
        }
        const std::uint8_t own[] = {IPPROTO_TCP, IPPROTO_UDP, icmp};
        Intervals all;
        for (const std::uint8_t proto : own) {
            *roots++ = list(
                ip.with(FACT_TRANSPORT, {single(proto)}).with(FACT_L4PROTO, {single(proto)}));
            all.push_back(single(proto));
        }
        *roots = list(ip.with(FACT_TRANSPORT, complement64(model::merged(std::move(all)))));
    }

    Graph::Node list(const PacketKind& kind) {
        const std::vector<OpenRule> rules = specialise(chain_, kind);
        Graph::Node next = graph_.verdict(chain_.policy, FW_NO_SLOT);
        for (auto rule = rules.rbegin(); rule != rules.rend(); ++rule) {
            if (graph_.size() > kHopeless) {
                break;
            }
            const LoweredRule& r = *rule->rule;
            Graph::Node then =
                r.verdict ? graph_.verdict(*r.verdict, r.slot) : graph_.count(r.slot, next);
            for (auto c = rule->open.rbegin(); c != rule->open.rend(); ++c) {
                then = graph_.test(**c, then, next);
            }
            next = then;
        }
        return next;
    }

    Graph& graph_;
    const LoweredChain& chain_;
};

tl::unexpected<Error> too_many(std::size_t needed, std::uint32_t limit) {
    if (needed > FW_NODES_LIMIT) {
        return fail((needed > kHopeless ? "more than " + std::to_string(kHopeless)
                                        : std::to_string(needed)) +
                    " nodes of compiled rules: at most " + std::to_string(FW_NODES_LIMIT) +
                    " are possible; move long { } lists into named sets, or use fewer rules");
    }
    return fail(std::to_string(needed) + " nodes of compiled rules: the limit is " +
                std::to_string(limit) +
                "; to raise it: `weir unload`, then `weir load --max-nodes " +
                std::to_string(std::bit_ceil(needed)) + "`");
}

} // namespace

Result<Firewall> compile_firewall(const model::Config& config, const model::Limits& limits) {
    WEIR_TRY(const LoweredChain ingress, lower(config, model::ChainName::kIngress));
    WEIR_TRY(const LoweredChain egress, lower(config, model::ChainName::kEgress));

    std::size_t needed = 0;
    for (const Detail detail : {Detail::kTransport, Detail::kFamily, Detail::kNone}) {
        Graph graph;
        const auto out = ChainBuilder(graph, egress).roots(detail);
        const auto in = ChainBuilder(graph, ingress).roots(detail);
        if (graph.size() > kHopeless) {
            needed = needed == 0 ? graph.size() : std::min(needed, graph.size());
            continue;
        }
        std::vector<Graph::Node> roots(in.begin(), in.end());
        roots.insert(roots.end(), out.begin(), out.end());
        Graph::Image image = graph.image(roots);
        if (image.nodes.size() <= limits.nodes) {
            Firewall firewall{std::move(image.nodes), {}, {}, image.rare_facts};
            std::copy_n(image.roots.begin(), KIND_COUNT, firewall.ingress.begin());
            std::copy_n(image.roots.begin() + KIND_COUNT, KIND_COUNT, firewall.egress.begin());
            return firewall;
        }
        needed = needed == 0 ? image.nodes.size() : std::min(needed, image.nodes.size());
    }
    return too_many(needed, limits.nodes);
}

} // namespace weir::compile
