#include "compile/rule_list.h"

#include <netinet/in.h>

namespace weir::compile {
namespace {

constexpr std::uint64_t kEtherIpv4 = 0x0800;
constexpr std::uint64_t kEtherIpv6 = 0x86dd;

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

} // namespace

Result<LoweredChain> lower(const model::Config& config, model::ChainName name) {
    const model::Chain& chain = config.chain(name);
    LoweredChain lowered{{}, chain.policy};
    for (const model::Rule& rule : chain.rules) {
        WEIR_TRY(std::vector<Condition> all, conditions(rule, config));
        lowered.rules.push_back({std::move(all), rule.verdict, rule.slot});
    }
    return lowered;
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

PacketKind not_ip() {
    return PacketKind{}
        .with(FACT_ETHER_TYPE, complement64({single(kEtherIpv4), single(kEtherIpv6)}))
        .with(FACT_TRANSPORT, {single(L4PROTO_NONE)})
        .with(FACT_L4PROTO, {single(L4PROTO_NONE)});
}

PacketKind ip(Family family) {
    return PacketKind{}.with(FACT_ETHER_TYPE,
                             {single(family == Family::kIpv4 ? kEtherIpv4 : kEtherIpv6)});
}

PacketKind with_transport(const PacketKind& ip, std::uint8_t protocol) {
    return ip.with(FACT_TRANSPORT, {single(protocol)}).with(FACT_L4PROTO, {single(protocol)});
}

} // namespace weir::compile
