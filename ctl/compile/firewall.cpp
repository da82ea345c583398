#include <algorithm>
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

    Graph::Node root(Detail detail) {
        if (detail == Detail::kNone) {
            return list({});
        }
        const Graph::Node other = list(not_ip());
        const Graph::Node v6 = family(kEtherIpv6, IPPROTO_ICMPV6, detail);
        const Graph::Node v4 = family(kEtherIpv4, IPPROTO_ICMP, detail);
        return branch(FACT_ETHER_TYPE, kEtherIpv4, v4,
                      branch(FACT_ETHER_TYPE, kEtherIpv6, v6, other));
    }

private:
    // Says of the transport what the parser says (maps/facts.h).
    static PacketKind not_ip() {
        return PacketKind{}
            .with(FACT_ETHER_TYPE, complement64({single(kEtherIpv4), single(kEtherIpv6)}))
            .with(FACT_TRANSPORT, {single(L4PROTO_NONE)})
            .with(FACT_L4PROTO, {single(L4PROTO_NONE)});
    }

    Graph::Node family(std::uint64_t ether_type, std::uint8_t icmp, Detail detail) {
        const PacketKind ip = PacketKind{}.with(FACT_ETHER_TYPE, {single(ether_type)});
        if (detail == Detail::kFamily) {
            return list(ip);
        }
        const Intervals own =
            model::merged({single(IPPROTO_TCP), single(IPPROTO_UDP), single(icmp)});
        Graph::Node next = list(ip.with(FACT_TRANSPORT, complement64(own)));
        for (const std::uint8_t proto :
             {icmp, std::uint8_t{IPPROTO_UDP}, std::uint8_t{IPPROTO_TCP}}) {
            const PacketKind kind =
                ip.with(FACT_TRANSPORT, {single(proto)}).with(FACT_L4PROTO, {single(proto)});
            next = branch(FACT_TRANSPORT, proto, list(kind), next);
        }
        return next;
    }

    Graph::Node branch(fact fact, std::uint64_t value, Graph::Node yes, Graph::Node no) {
        return graph_.test({.fact = fact, .any = {single(value)}, .last = {}}, yes, no);
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

std::uint32_t set_uses(const std::vector<fw_node>& nodes) {
    std::uint32_t uses = 0;
    for (const fw_node& node : nodes) {
        if (node.kind != FW_MASK) {
            continue;
        }
        switch (node.fact) {
        case FACT_SADDR_SETS:
            uses |= SET_USE_SADDR;
            break;
        case FACT_DADDR_SETS:
            uses |= SET_USE_DADDR;
            break;
        case FACT_SPORT_SETS:
            uses |= SET_USE_SPORT;
            break;
        case FACT_DPORT_SETS:
            uses |= SET_USE_DPORT;
            break;
        default:
            break;
        }
    }
    return uses;
}

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
        const Graph::Node out = ChainBuilder(graph, egress).root(detail);
        const Graph::Node in = ChainBuilder(graph, ingress).root(detail);
        if (graph.size() > kHopeless) {
            needed = needed == 0 ? graph.size() : std::min(needed, graph.size());
            continue;
        }
        Graph::Image image = graph.image({in, out});
        if (image.nodes.size() <= limits.nodes) {
            const std::uint32_t uses = set_uses(image.nodes);
            return Firewall{std::move(image.nodes), image.roots[0], image.roots[1], uses};
        }
        needed = needed == 0 ? image.nodes.size() : std::min(needed, image.nodes.size());
    }
    return too_many(needed, limits.nodes);
}

} // namespace weir::compile
