#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "maps/balancer.h"
#include "maps/firewall.h"
#include "maps/generation.h"
#include "model/config.h"

// Model -> the exact contents of the maps. Pure: no kernel, no files, same input, same output.
namespace weir::compile {

// Where the walk begins for each kind of packet; FW_POLICY_*: no rule concerns that kind.
using Roots = std::array<std::uint32_t, KIND_COUNT>;

// The rules as a decision graph; node 0 is a sentinel that drops, so that 0 is no root.
struct Firewall {
    std::vector<fw_node> nodes;
    Roots ingress{};
    Roots egress{};
    std::uint32_t rare_facts = 0; // bit per enum rare_fact
};

struct Sets {
    // Prefixes with the closure of their sets: each carries the bits of all that cover it.
    std::vector<std::pair<set4_key, set_mask>> v4;
    std::vector<std::pair<set6_key, set_mask>> v6;
    std::vector<set_mask> ports; // empty, or PORTS of them
};

// One service's Maglev table. Two services with the same backends have rings of their own.
struct Ring {
    model::Slot service;
    std::vector<std::uint32_t> backend; // RING_SIZE indices, or RING_EMPTY
};

struct Balancer {
    // `ring` and `ring_digest` of each service are left 0: the publisher knows where the ring lies.
    // VIP entries (port 0, proto 0) included: slot NO_TABLE, no ring, no backends.
    std::vector<std::pair<service_key, service>> services;
    std::vector<std::pair<model::Slot, backend>> backends;
    std::vector<Ring> rings;
    std::uint32_t any_port = 0;
};

struct Images {
    Firewall firewall;
    Sets sets;
    Balancer balancer;
    // Settings only: number, table indices and `state` are filled in by the publisher.
    generation settings{};
};

// `config` has passed model::check() and has its handles and slots.
Result<Images> compile(const model::Config& config, const model::Limits& limits);

Result<Firewall> compile_firewall(const model::Config& config, const model::Limits& limits);
Sets compile_sets(const model::Config& config);
Result<Balancer> compile_balancer(const model::Config& config, const model::Limits& limits);

// Which bit of a fact or a struct set_mask is the set's: its place among all sets by name.
// None if there is no such set.
std::optional<unsigned> set_bit(const model::Config& config, const std::string& name);

// One backend as the ring sees it.
struct RingMember {
    std::uint32_t index;  // what the ring holds
    std::uint32_t weight; // 0: takes no part
    IpAddr address;       // seeds its permutation, so that every node builds the same ring
};
// Maglev (Eisenbud et al., NSDI 2016, 3.4) with weights: members take turns in proportion to their
// weights, so each gets its share of the buckets, give or take two; one whose share is less than
// that may get none. `seed` is configuration. The order of `members` does not matter; addresses are
// unique. RING_EMPTY throughout if no member has weight.
std::vector<std::uint32_t> maglev(const std::vector<RingMember>& members, std::uint64_t seed);

} // namespace weir::compile
