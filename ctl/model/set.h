#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "model/rule.h"

namespace weir::model {

enum class SetType { kIpv4Addr, kIpv6Addr, kInetService };
std::string_view name(SetType type); // "ipv4_addr", "ipv6_addr", "inet_service"

// A named set. Elements are sorted and do not overlap within the set (nft's `auto-merge`).
struct Set {
    std::string name;
    SetType type{};
    std::string comment;
    std::vector<Interval> elements;

    bool operator==(const Set&) const = default;
};

// Adds to or takes away from the elements, keeping them sorted, merged and disjoint.
// `remove` answers false, and changes nothing, unless all of `element` was in the set.
void insert(Set& set, const Interval& element);
void insert(Set& set, const std::vector<Interval>& elements); // many at once: n log n
bool remove(Set& set, const Interval& element);

// The fewest prefixes that together are exactly an interval of addresses, in order.
std::vector<Prefix> prefixes_of(Family family, Interval interval);

} // namespace weir::model
