#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <vector>

#include "maps/facts.h"
#include "maps/firewall.h"

namespace weir::test {

struct Walk {
    bool accepted;
    std::uint32_t slot;                 // of the rule that decided; FW_NO_SLOT: the policy
    std::vector<std::uint32_t> counted; // slots of the rules that only counted
    std::size_t steps;                  // nodes met

    // How many nodes were met is not what was decided.
    bool operator==(const Walk& other) const {
        return accepted == other.accepted && slot == other.slot && counted == other.counted;
    }
};

// The walk as maps/firewall.h describes it, from the root of the packet's kind; throws where the data
// plane would fail closed.
inline Walk walk(const std::vector<fw_node>& nodes,
                 const std::array<std::uint32_t, KIND_COUNT>& roots, const facts& of) {
    std::array<std::uint64_t, FACT_WORDS> words{};
    static_assert(sizeof words == sizeof of);
    std::memcpy(words.data(), &of, sizeof of);
    Walk walk{false, FW_NO_SLOT, {}, 0};
    std::uint32_t at = roots.at(of.packet.kind);
    if (at == FW_POLICY_ACCEPT || at == FW_POLICY_DROP) {
        walk.accepted = at == FW_POLICY_ACCEPT;
        return walk;
    }
    for (;;) {
        const fw_node& node = nodes.at(at);
        walk.steps++;
        std::uint32_t next = node.word_yes & FW_INDEX_MASK;
        if (node.mask != 0) {
            const std::uint64_t fact = words.at(node.word_yes >> FW_WORD_SHIFT) & node.mask;
            if (fact < node.first || fact - node.first > node.span) {
                next = node.no;
            }
        } else if (node.span == FW_COUNT) {
            walk.counted.push_back(node.no);
        } else if (node.span == FW_ACCEPT || node.span == FW_DROP) {
            walk.accepted = node.span == FW_ACCEPT;
            walk.slot = node.no;
            return walk;
        } else {
            throw std::logic_error("unknown kind of node");
        }
        if (next <= at) {
            throw std::logic_error("edge does not lead forward");
        }
        at = next;
    }
}

} // namespace weir::test
