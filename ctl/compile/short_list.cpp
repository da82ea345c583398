#include "compile/short_list.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "maps/firewall.h"

namespace weir::compile {
namespace {

// A block of ports: those whose bits under the mask are `first`.
struct PortBlock {
    std::uint16_t first = 0, mask = 0;
};

// The fewest blocks that together are these ports.
std::vector<PortBlock> blocks_of(const Intervals& ports) {
    std::vector<PortBlock> blocks;
    for (const model::Interval& each : ports) {
        for (std::uint32_t at = static_cast<std::uint32_t>(each.first.lo); at <= each.last.lo;) {
            std::uint32_t size = at == 0 ? 0x10000 : at & -at;
            while (at + size - 1 > each.last.lo) {
                size /= 2;
            }
            blocks.push_back({static_cast<std::uint16_t>(at), static_cast<std::uint16_t>(-size)});
            at += size;
        }
    }
    return blocks;
}

// What a rule asks of a packet: one of each.
struct Wanted {
    std::vector<Prefix> saddr, daddr;
    std::vector<PortBlock> sport{{}}, dport{{}}; // any
    Masked flags{0, 0};
    explicit Wanted(Family family) : saddr{anywhere(family)}, daddr{anywhere(family)} {}

    // More than FW_LIST_MAX: no matter how many.
    std::size_t records() const {
        std::size_t all = 1;
        for (const std::size_t each : {saddr.size(), daddr.size(), sport.size(), dport.size()}) {
            all = std::min(all * each, std::size_t{FW_LIST_MAX} + 1);
        }
        return all;
    }

private:
    static Prefix anywhere(Family family) {
        return {family == Family::kIpv4 ? IpAddr::v4(0) : IpAddr::v6({}), 0};
    }
};

// Numbers up to `last` that are in none of the intervals.
Intervals others(const Intervals& intervals, const U128& last) {
    Intervals gaps;
    U128 from{0, 0};
    for (const model::Interval& each : intervals) {
        if (from < each.first) {
            gaps.push_back({from, model::below(each.first)});
        }
        if (!(each.last < last)) {
            return gaps;
        }
        from = model::above(each.last);
    }
    gaps.push_back({from, last});
    return gaps;
}

Intervals numbers_of(const Condition& condition) {
    return condition.negated ? others(condition.any, condition.last) : condition.any;
}

std::vector<Prefix> prefixes_of(const Condition& condition, Family family) {
    std::vector<Prefix> prefixes;
    for (const model::Interval& each : numbers_of(condition)) {
        const auto its = model::prefixes_of(family, each);
        prefixes.insert(prefixes.end(), its.begin(), its.end());
    }
    return prefixes;
}

// Flags as one mask; none if they cannot be expressed so.
std::optional<Masked> flags_of(const Condition& condition) {
    std::vector<Masked> any = condition.masks;
    for (const model::Interval& each : condition.any) {
        if (each.first != each.last) {
            return std::nullopt;
        }
        any.push_back({0xff, each.first.lo});
    }
    if (any.size() != 1 || (any[0].value & ~any[0].mask) != 0) {
        return std::nullopt;
    }
    if (!condition.negated) {
        return any[0];
    }
    if (std::has_single_bit(any[0].mask)) { // the bit's other value
        return Masked{any[0].mask, any[0].mask ^ any[0].value};
    }
    return std::nullopt;
}

// False: the condition is of another kind.
bool narrow(Wanted& wanted, const Condition& condition, Family family) {
    if (condition.fact == FACT_TCP_FLAGS) {
        const std::optional<Masked> flags = flags_of(condition);
        wanted.flags = flags.value_or(Masked{0, 0});
        return flags.has_value();
    }
    if (!condition.masks.empty()) {
        return false;
    }
    switch (condition.fact) {
    case FACT_SADDR_LO:
        wanted.saddr = prefixes_of(condition, family);
        return true;
    case FACT_DADDR_LO:
        wanted.daddr = prefixes_of(condition, family);
        return true;
    case FACT_SPORT:
        wanted.sport = blocks_of(numbers_of(condition));
        return true;
    case FACT_DPORT:
        wanted.dport = blocks_of(numbers_of(condition));
        return true;
    default:
        return false;
    }
}

std::optional<Wanted> wanted_by(const OpenRule& rule, Family family) {
    Wanted wanted(family);
    std::vector<int> seen;
    for (const Condition* condition : rule.open) {
        // A second condition on the same field would narrow the first one further.
        if (std::find(seen.begin(), seen.end(), condition->fact) != seen.end() ||
            !narrow(wanted, *condition, family)) {
            return std::nullopt;
        }
        seen.push_back(condition->fact);
    }
    return wanted;
}

__be32 ports_word(std::uint16_t sport, std::uint16_t dport) {
    return htonl(std::uint32_t{sport} << 16 | dport);
}

void put(const Prefix& prefix, std::size_t at, fw_record& record) {
    const auto octets = prefix.address().octets();
    const auto bytes = static_cast<std::size_t>(prefix.address().bits() / 8);
    std::array<std::uint8_t, 16> mask{};
    for (int i = 0; i < prefix.length(); ++i) {
        mask.at(static_cast<std::size_t>(i) / 8) |= static_cast<std::uint8_t>(0x80 >> i % 8);
    }
    std::memcpy(reinterpret_cast<std::uint8_t*>(record.addrs) + at, octets.data(), bytes);
    std::memcpy(reinterpret_cast<std::uint8_t*>(record.addrs_mask) + at, mask.data(), bytes);
}

std::uint64_t answer_of(const LoweredRule& rule) {
    if (!rule.verdict) {
        return 0;
    }
    return *rule.verdict == model::Verdict::kAccept ? FW_ACCEPTED : FW_DROPPED;
}

void append(const Wanted& wanted, const LoweredRule& rule, std::vector<fw_record>& records) {
    fw_record record{};
    record.answer = answer_of(rule);
    record.slot = rule.slot;
    const auto flags = static_cast<__u8>(wanted.flags.value);
    const auto flags_mask = static_cast<__u8>(wanted.flags.mask);
    for (const Prefix& saddr : wanted.saddr) {
        put(saddr, 0, record);
        for (const Prefix& daddr : wanted.daddr) {
            put(daddr, static_cast<std::size_t>(daddr.address().bits()) / 8, record);
            for (const PortBlock& sport : wanted.sport) {
                for (const PortBlock& dport : wanted.dport) {
                    record.rest = fw_rest(ports_word(sport.first, dport.first), flags);
                    record.rest_mask = fw_rest(ports_word(sport.mask, dport.mask), flags_mask);
                    records.push_back(record);
                }
            }
        }
    }
}

} // namespace

std::uint32_t ShortLists::add(const std::vector<OpenRule>& rules, Family family,
                              model::Verdict policy) {
    std::vector<fw_record> list;
    for (const OpenRule& rule : rules) {
        const std::optional<Wanted> wanted = wanted_by(rule, family);
        if (!wanted || list.size() + wanted->records() > FW_LIST_MAX) {
            return 0;
        }
        append(*wanted, *rule.rule, list);
    }
    if (list.empty() || records_.size() + list.size() > FW_RECORDS) {
        return 0;
    }
    const auto first = static_cast<std::uint32_t>(records_.size());
    records_.insert(records_.end(), list.begin(), list.end());
    return FW_LIST(first, static_cast<std::uint32_t>(list.size())) |
           (policy == model::Verdict::kDrop ? FW_LIST_DROPS : 0);
}

} // namespace weir::compile
