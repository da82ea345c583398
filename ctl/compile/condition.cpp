#include "compile/condition.h"

#include <algorithm>
#include <optional>

#include "compile/images.h"

namespace weir::compile {
namespace {

Condition equals(fact fact, std::uint64_t value) {
    return {.fact = fact, .any = {single(value)}, .last = {0, kMax64}};
}

// Where a packet without the field still has a number in the fact (maps/facts.h), the numbers that
// mean a field. All others are told by their dependencies.
std::optional<model::Interval> present(int fact) {
    switch (fact) {
    case FACT_VLAN_ID:
        return model::Interval{{0, VLAN_PRESENT}, {0, VLAN_PRESENT | 0xfff}};
    case FACT_L4PROTO:
        return model::Interval{{0, 0}, {0, L4PROTO_NONE - 1}};
    default:
        return std::nullopt;
    }
}

// What the fact adds to the number that the user writes.
std::uint64_t offset(int fact) {
    return fact == FACT_VLAN_ID ? VLAN_PRESENT : 0;
}

Condition compare(const model::FieldInfo& info, const model::Match& match) {
    Condition c{.fact_hi = info.fact_hi,
                .fact = info.fact_lo,
                .negated = match.negated,
                .last = {0, kMax64}};
    if (info.fact_hi >= 0) {
        c.last.hi = kMax64;
    } else if (!present(info.fact_lo)) {
        c.last.lo = info.maximum;
    }
    if (match.mask) {
        for (const model::Interval& i : match.values) { // single values
            c.masks.push_back({*match.mask, i.first.lo});
        }
        return c;
    }
    const std::uint64_t add = offset(info.fact_lo);
    Intervals values = match.values;
    for (model::Interval& i : values) {
        i.first.lo += add;
        i.last.lo += add;
    }
    c.any = model::merged(std::move(values));
    return c;
}

Result<Condition> in_set(const model::FieldInfo& info, const model::Match& match,
                         const model::Config& config) {
    const std::optional<unsigned> bit = set_bit(config, match.set);
    if (!bit) {
        return usage("set '" + match.set + "' does not exist: create it with `weir set create`");
    }
    if (info.set_fact < 0) {
        return usage("'" + std::string(info.keyword) + "' cannot be compared with a named set ('@" +
                     match.set + "')");
    }
    const std::uint64_t mask = std::uint64_t{1} << *bit;
    return Condition{.fact = info.set_fact,
                     .negated = match.negated,
                     .masks = {{mask, mask}},
                     .last = {0, kMax64}};
}

} // namespace

Result<std::vector<Condition>> conditions(const model::Rule& rule, const model::Config& config) {
    std::vector<Condition> all;
    const auto add = [&](Condition c) {
        if (std::find(all.begin(), all.end(), c) == all.end()) {
            all.push_back(std::move(c));
        }
    };
    for (const model::Match& match : rule.matches) {
        const model::FieldInfo& info = model::info(match.field);
        if (info.needs.ether_type != 0) {
            add(equals(FACT_ETHER_TYPE, info.needs.ether_type));
        }
        if (info.needs.transport != 0) {
            add(equals(FACT_TRANSPORT, info.needs.transport));
        }
        const std::optional<model::Interval> field = present(info.fact_lo);
        if (field && (match.negated || match.mask)) {
            add({.fact = info.fact_lo, .any = {*field}, .last = {0, kMax64}});
        }
        if (match.set.empty()) {
            add(compare(info, match));
            continue;
        }
        WEIR_TRY(Condition c, in_set(info, match, config));
        add(std::move(c));
    }
    return all;
}

} // namespace weir::compile
