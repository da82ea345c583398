#include "model/set.h"

#include <algorithm>
#include <bit>
#include <iterator>
#include <utility>

namespace weir::model {
namespace {

int trailing_zeros(U128 n) {
    return n.lo != 0 ? std::countr_zero(n.lo) : 64 + (n.hi != 0 ? std::countr_zero(n.hi) : 64);
}

} // namespace

std::string_view name(SetType type) {
    switch (type) {
    case SetType::kIpv4Addr:
        return "ipv4_addr";
    case SetType::kIpv6Addr:
        return "ipv6_addr";
    case SetType::kInetService:
        break;
    }
    return "inet_service";
}

void insert(Set& set, const Interval& element) {
    auto& elements = set.elements;
    // Those from `begin` to before `end` overlap or adjoin the new one and become part of it.
    const auto begin =
        std::partition_point(elements.begin(), elements.end(),
                             [&](const Interval& e) { return e.last < below(element.first); });
    const auto end = std::partition_point(
        begin, elements.end(), [&](const Interval& e) { return e.first <= above(element.last); });
    if (begin == end) {
        elements.insert(begin, element);
        return;
    }
    begin->first = std::min(begin->first, element.first);
    begin->last = std::max(std::prev(end)->last, element.last);
    elements.erase(std::next(begin), end);
}

void insert(Set& set, const std::vector<Interval>& elements) {
    std::vector<Interval> all = std::move(set.elements);
    all.insert(all.end(), elements.begin(), elements.end());
    set.elements = merged(std::move(all));
}

bool remove(Set& set, const Interval& element) {
    auto& elements = set.elements;
    const auto whole =
        std::partition_point(elements.begin(), elements.end(),
                             [&](const Interval& e) { return e.last < element.first; });
    if (whole == elements.end() || element.first < whole->first || whole->last < element.last) {
        return false;
    }
    const Interval before{whole->first, below(element.first)};
    const Interval after{above(element.last), whole->last};
    const bool keep_before = whole->first < element.first;
    const bool keep_after = element.last < whole->last;
    if (keep_before && keep_after) {
        *whole = before;
        elements.insert(std::next(whole), after);
    } else if (keep_before || keep_after) {
        *whole = keep_before ? before : after;
    } else {
        elements.erase(whole);
    }
    return true;
}

std::vector<Prefix> prefixes_of(Family family, Interval interval) {
    const int bits = family == Family::kIpv4 ? 32 : 128;
    std::vector<Prefix> prefixes;
    // From its begin, always the largest aligned block inside.
    for (;;) {
        const IpAddr first = family == Family::kIpv4
                                 ? IpAddr::v4(static_cast<std::uint32_t>(interval.first.lo))
                                 : IpAddr::v6(interval.first);
        int length = bits - std::min(bits, trailing_zeros(interval.first));
        while (Prefix(first, length).last() > interval.last) {
            length++;
        }
        prefixes.emplace_back(first, length);
        const U128 last = prefixes.back().last();
        if (last >= interval.last) {
            return prefixes;
        }
        interval.first = above(last);
    }
}

} // namespace weir::model
