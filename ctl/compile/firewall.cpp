#include <algorithm>
#include <array>
#include <bit>
#include <netinet/in.h>
#include <string>

#include "compile/graph.h"
#include "compile/images.h"
#include "compile/rule_list.h"
#include "compile/short_list.h"

namespace weir::compile {
namespace {

// Where a graph is given up while it grows: it holds little that the image would not.
constexpr std::size_t kHopeless = std::size_t{8} * FW_NODES_LIMIT;

// How many kinds of packet have a list of rules of their own. More make shorter walks and more
// nodes.
enum class Detail {
    kTransport, // IPv4 and IPv6 by TCP, UDP, ICMP, other; not IP
    kFamily,    // IPv4, IPv6, not IP
    kNone,      // one list for all
};

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
        family(Family::kIpv4, detail, &roots[KIND_IPV4_TCP]);
        family(Family::kIpv6, detail, &roots[KIND_IPV6_TCP]);
        return roots;
    }

private:
    // `roots`: of TCP, UDP, ICMP and all other packets of that family, in the order of enum
    // packet_kind.
    void family(Family family, Detail detail, Graph::Node* roots) {
        const PacketKind all = ip(family);
        if (detail == Detail::kFamily) {
            std::fill_n(roots, 4, list(all));
            return;
        }
        Intervals known;
        for (const std::uint8_t protocol :
             {std::uint8_t{IPPROTO_TCP}, std::uint8_t{IPPROTO_UDP}, icmp_of(family)}) {
            *roots++ = list(with_transport(all, protocol));
            known.push_back(single(protocol));
        }
        *roots = list(all.with(FACT_TRANSPORT, complement64(model::merged(std::move(known)))));
    }

    static std::uint8_t icmp_of(Family family) {
        return family == Family::kIpv4 ? std::uint8_t{IPPROTO_ICMP} : std::uint8_t{IPPROTO_ICMPV6};
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

// The kinds that the fast lane knows.
constexpr struct {
    packet_kind kind;
    Family family;
    std::uint8_t protocol;
} kCommonKinds[] = {{KIND_IPV4_TCP, Family::kIpv4, IPPROTO_TCP},
                    {KIND_IPV4_UDP, Family::kIpv4, IPPROTO_UDP},
                    {KIND_IPV6_TCP, Family::kIpv6, IPPROTO_TCP},
                    {KIND_IPV6_UDP, Family::kIpv6, IPPROTO_UDP}};

void add_lists(ShortLists& lists, const LoweredChain& chain, Roots& roots) {
    for (const auto& [kind, family, protocol] : kCommonKinds) {
        roots[kind] = lists.add(specialise(chain, with_transport(ip(family), protocol)), family,
                                chain.policy);
    }
}

void add_lists(const LoweredChain& ingress, const LoweredChain& egress, Firewall& firewall) {
    ShortLists lists;
    add_lists(lists, ingress, firewall.ingress_lists);
    add_lists(lists, egress, firewall.egress_lists);
    firewall.records = lists.records();
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
            Firewall firewall;
            firewall.nodes = std::move(image.nodes);
            firewall.rare_facts = image.rare_facts;
            std::copy_n(image.roots.begin(), KIND_COUNT, firewall.ingress.begin());
            std::copy_n(image.roots.begin() + KIND_COUNT, KIND_COUNT, firewall.egress.begin());
            add_lists(ingress, egress, firewall);
            return firewall;
        }
        needed = needed == 0 ? image.nodes.size() : std::min(needed, image.nodes.size());
    }
    return too_many(needed, limits.nodes);
}

} // namespace weir::compile
