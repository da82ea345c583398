#pragma once

#include <array>
#include <bit>
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
    // The same rules for common packets, where they are few: FW_LIST(), or 0.
    Roots ingress_lists{};
    Roots egress_lists{};
    std::vector<fw_record> records; // FW_RECORDS at most
};

struct Sets {
    // Prefixes with the closure of their sets: each carries the bits of all that cover it.
    std::vector<std::pair<set4_key, set_mask>> v4;
    std::vector<std::pair<set6_key, set_mask>> v6;
    std::vector<set_mask> ports; // empty, or PORTS of them
};

// Who owns the new flows of each bucket of a service's ring.
struct Ring {
    model::Slot service;
    std::vector<std::uint32_t> owner; // index of a backend, or BUCKET_NONE; a power of two of them
};

// A hash table as packets search it: maps/flow_hash.h.
struct ServiceTable {
    std::vector<service> places; // empty: there are no services
    std::uint64_t seed = 0;
};

struct Balancer {
    // `ring` of each service is left 0: the publisher knows where the ring lies. VIPs themselves
    // included, with slot NO_TABLE.
    ServiceTable services;
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

// Places of a service table for so many services: each of them, and each VIP, has one in four or
// less.
constexpr std::uint32_t service_places(std::uint32_t services) {
    return std::bit_ceil(8 * services);
}

// One backend as the ring sees it.
struct RingMember {
    std::uint32_t index;  // what the ring holds
    std::uint32_t weight; // 0: takes no part
    IpAddr address;       // seeds its permutation, so that every node builds the same ring
};
// Maglev (Eisenbud et al., NSDI 2016, 3.4) with weights: members take turns in proportion to their
// weights, so each gets its share of the buckets, give or take two; one whose share is less than
// that may get none. `seed` is configuration; `buckets` is a power of two. The order of `members`
// does not matter; addresses are unique. BUCKET_NONE throughout if no member has weight.
std::vector<std::uint32_t> maglev(const std::vector<RingMember>& members, std::uint64_t seed,
                                  std::uint32_t buckets);

// Room for `entries`, each at one of its two places, in `places` places (a power of two, at least
// four times as many). Fails only where two entries have the same key.
Result<ServiceTable> service_table(const std::vector<service>& entries, std::uint32_t places);

} // namespace weir::compile
