#pragma once

#include <array>
#include <cstdint>
#include <stdexcept>
#include <vector>

#include "maps/facts.h"
#include "maps/firewall.h"

namespace weir::test {

using Facts = std::array<std::uint64_t, FACT_COUNT>;

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

// The walk as maps/firewall.h describes it; throws where the data plane would fail closed.
inline Walk walk(const std::vector<fw_node>& nodes, std::uint32_t root, const Facts& facts) {
    Walk walk{false, FW_NO_SLOT, {}, 0};
    for (std::uint32_t at = root;;) {
        const fw_node& node = nodes.at(at);
        walk.steps++;
        bool yes = true;
        switch (node.kind) {
        case FW_RANGE:
            yes = node.a <= facts.at(node.fact) && facts.at(node.fact) <= node.b;
            break;
        case FW_MASK:
            yes = (facts.at(node.fact) & node.a) == node.b;
            break;
        case FW_COUNT:
            walk.counted.push_back(node.slot);
            break;
        case FW_ACCEPT:
        case FW_DROP:
            walk.accepted = node.kind == FW_ACCEPT;
            walk.slot = node.slot;
            return walk;
        default:
            throw std::logic_error("unknown kind of node");
        }
        const std::uint32_t next = yes ? node.yes : node.no;
        if (next <= at) {
            throw std::logic_error("edge does not lead forward");
        }
        at = next;
    }
}

} // namespace weir::test
