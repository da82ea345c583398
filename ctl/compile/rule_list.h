#pragma once

#include <optional>
#include <vector>

#include "compile/condition.h"
#include "compile/packet_kind.h"

// The rules of a chain in the form that everything below reads: conditions on facts, and what
// happens then.
namespace weir::compile {

struct LoweredRule {
    std::vector<Condition> conditions;     // all of which must hold
    std::optional<model::Verdict> verdict; // none: count, and go on
    model::Slot slot;                      // of its counters
};

struct LoweredChain {
    std::vector<LoweredRule> rules;
    model::Verdict policy;
};

Result<LoweredChain> lower(const model::Config& config, model::ChainName name);

// A rule as far as a kind of packet leaves it open.
struct OpenRule {
    const LoweredRule* rule;
    std::vector<const Condition*> open;
};

// Those that a packet of this kind can match; the last may be one that all of them match.
std::vector<OpenRule> specialise(const LoweredChain& chain, const PacketKind& kind);

// Packets with this transport header; the kinds are the parser's (maps/facts.h).
PacketKind not_ip();
PacketKind ip(Family family);
PacketKind with_transport(const PacketKind& ip, std::uint8_t protocol);

} // namespace weir::compile
