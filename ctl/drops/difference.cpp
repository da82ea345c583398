#include "drops/difference.h"

#include <algorithm>
#include <bit>

namespace weir::drops {
namespace {

// Of a structure that is nothing but 64-bit counters.
template <typename Counters>
Counters words(const Counters& before, const Counters& after) {
    constexpr std::size_t kWords = sizeof(Counters) / sizeof(std::uint64_t);
    static_assert(sizeof(Counters) % sizeof(std::uint64_t) == 0);
    using Words = std::array<std::uint64_t, kWords>;
    const auto from = std::bit_cast<Words>(before);
    auto to = std::bit_cast<Words>(after);
    for (std::size_t i = 0; i < kWords; i++) {
        to[i] = grown(from[i], to[i]);
    }
    return std::bit_cast<Counters>(to);
}

template <typename Key>
using Counts = std::map<Key, std::uint64_t>;

template <typename Key>
Counts<Key> counts(const Counts<Key>& before, const Counts<Key>& after) {
    Counts<Key> result;
    for (const auto& [key, now] : after) {
        const auto old = before.find(key);
        if (const auto more = grown(old == before.end() ? 0 : old->second, now); more > 0) {
            result[key] = more;
        }
    }
    return result;
}

} // namespace

hook_count grown(const hook_count& before, const hook_count& after) {
    return words(before, after);
}

WeirBooks grown(const WeirBooks& before, const WeirBooks& after) {
    WeirBooks result;
    for (std::size_t h = 0; h < result.hooks.size(); h++) {
        result.hooks[h] = words(before.hooks[h], after.hooks[h]);
    }
    for (RuleDrops rule : after.rules) {
        const auto old =
            std::find_if(before.rules.begin(), before.rules.end(), [&](const RuleDrops& each) {
                return each.egress == rule.egress && each.handle == rule.handle;
            });
        rule.packets = grown(old == before.rules.end() ? 0 : old->packets, rule.packets);
        result.rules.push_back(std::move(rule));
    }
    return result;
}

Losses grown(const Losses& before, const Losses& after) {
    return {counts(before.packets, after.packets), counts(before.frames, after.frames),
            counts(before.redirected, after.redirected)};
}

Snapshot grown(const Snapshot& before, const Snapshot& after) {
    Snapshot result;
    result.link = words(before.link, after.link);
    const std::map<std::string, std::uint64_t> old(before.driver.begin(), before.driver.end());
    for (const auto& [name, now] : after.driver) {
        const auto at = old.find(name);
        result.driver.emplace_back(name, grown(at == old.end() ? 0 : at->second, now));
    }
    if (after.qdisc) {
        const bool same = before.qdisc && before.qdisc->kind == after.qdisc->kind;
        const auto from = same ? *before.qdisc : kernel::QdiscCounters{};
        result.qdisc = {after.qdisc->kind, grown(from.packets, after.qdisc->packets),
                        grown(from.drops, after.qdisc->drops), after.qdisc->queued};
    }
    for (kernel::Softnet cpu : after.softnet) {
        for (const kernel::Softnet& was : before.softnet) {
            if (was.cpu == cpu.cpu) {
                cpu.processed = grown(was.processed, cpu.processed);
                cpu.dropped = grown(was.dropped, cpu.dropped);
            }
        }
        result.softnet.push_back(cpu);
    }
    result.udp = words(before.udp, after.udp);
    result.weir = grown(before.weir, after.weir);
    result.losses = grown(before.losses, after.losses);
    return result;
}

} // namespace weir::drops
