#include <algorithm>
#include <bit>
#include <limits>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include "maps/balancer.h"
#include "model/config.h"

namespace weir::model {
namespace {

// FNV-1a over 64-bit words: equal rules have equal hashes, different ones seldom.
class Hash {
public:
    void add(std::uint64_t word) { value_ = (value_ ^ word) * 0x100000001b3ULL; }
    void add(const std::string& text) { add(std::hash<std::string>{}(text)); }
    std::uint64_t value() const { return value_; }

private:
    std::uint64_t value_ = 0xcbf29ce484222325ULL;
};

std::uint64_t hash(const Rule& rule) {
    Hash hash;
    for (const Match& match : rule.matches) {
        hash.add(static_cast<std::uint64_t>(match.field));
        hash.add(match.negated);
        hash.add(match.mask.value_or(0));
        hash.add(match.set);
        for (const Interval& value : match.values) {
            hash.add(value.first.hi);
            hash.add(value.first.lo);
            hash.add(value.last.hi);
            hash.add(value.last.lo);
        }
    }
    hash.add(rule.verdict ? 1 + static_cast<std::uint64_t>(*rule.verdict) : 0);
    hash.add(rule.comment);
    return hash.value();
}

// Slots of one kind of counters.
class Slots {
public:
    Slots(std::uint32_t limit, std::string what, std::string option)
        : used_(limit), what_(std::move(what)), option_(std::move(option)) {}

    void use(Slot slot) {
        if (slot < used_.size()) {
            used_[slot] = true;
        }
    }
    // The lowest that nothing uses.
    Result<Slot> take() {
        while (next_ < used_.size() && used_[next_]) {
            next_++;
        }
        if (next_ == used_.size()) {
            return fail("no counters are left for new " + what_ + ": all " +
                        std::to_string(used_.size()) +
                        " are used by this and the previous generation; apply the change in "
                        "smaller steps, or raise the limit: `weir unload`, then `weir load " +
                        option_ + " N`");
        }
        used_[next_] = true;
        fresh_.push_back(next_);
        return next_;
    }
    std::vector<Slot> fresh() && { return std::move(fresh_); }

private:
    std::vector<bool> used_;
    std::string what_;
    std::string option_;
    Slot next_ = 0;
    std::vector<Slot> fresh_;
};

struct Assigner {
    Slots rules, services, backends;
    Identities ids;

    Result<Handle> new_handle() {
        if (ids.next_handle == std::numeric_limits<Handle>::max()) {
            return fail("all handles are used up: `weir unload`, then load and apply again");
        }
        return ids.next_handle++;
    }

    // What a configuration that may come into force again counts in stays its own. Its handles stay
    // its own too: after a rollback `ids` is older than some of them.
    void reserve(const Config& config) {
        for (const Chain* chain : {&config.ingress, &config.egress}) {
            for (const Rule& rule : chain->rules) {
                reserve(rule, rules);
            }
        }
        for (const Service& service : config.balancer.services) {
            reserve(service, services);
            for (const Backend& backend : service.backends) {
                reserve(backend, backends);
            }
        }
    }
    template <typename Thing>
    void reserve(const Thing& thing, Slots& slots) {
        slots.use(thing.slot);
        if (thing.handle != std::numeric_limits<Handle>::max()) {
            ids.next_handle = std::max(ids.next_handle, thing.handle + 1);
        }
    }

    template <typename Thing>
    Result<> identify(Thing& thing, const Thing* same, Slots& slots) {
        if (same != nullptr) {
            thing.handle = same->handle;
            thing.slot = same->slot;
            return {};
        }
        WEIR_TRY(thing.handle, new_handle());
        WEIR_TRY(thing.slot, slots.take());
        return {};
    }

    Result<> assign(Chain& wanted, const Chain& live);
    Result<> assign(Service& wanted, const Service* live);
};

// Rules of `wanted` that carry the handle of a rule of `live`: position there, or kNoRule.
std::vector<std::size_t> match_handles(const Chain& wanted, const Chain& live) {
    std::unordered_map<Handle, std::size_t> at;
    for (std::size_t i = 0; i < live.rules.size(); i++) {
        at.emplace(live.rules[i].handle, i);
    }
    std::vector<std::size_t> positions;
    positions.reserve(wanted.rules.size());
    for (const Rule& rule : wanted.rules) {
        const auto found = rule.handle == 0 ? at.end() : at.find(rule.handle);
        positions.push_back(found == at.end() ? kNoRule : found->second);
        if (found != at.end()) {
            at.erase(found); // a copy of a rule is another rule
        }
    }
    return positions;
}

Result<> Assigner::assign(Chain& wanted, const Chain& live) {
    std::vector<std::size_t> positions = match_handles(wanted, live);
    const std::unordered_set<std::size_t> taken(positions.begin(), positions.end());
    // The rest by what they say.
    std::vector<Rule> rest, rest_live;
    std::vector<std::size_t> rest_at, live_at;
    for (std::size_t i = 0; i < wanted.rules.size(); i++) {
        if (positions[i] == kNoRule) {
            rest.push_back(wanted.rules[i]);
            rest_at.push_back(i);
        }
    }
    for (std::size_t i = 0; i < live.rules.size(); i++) {
        if (!taken.contains(i)) {
            rest_live.push_back(live.rules[i]);
            live_at.push_back(i);
        }
    }
    const std::vector<std::size_t> matched = match_rules(rest_live, rest);
    for (std::size_t i = 0; i < rest.size(); i++) {
        positions[rest_at[i]] = matched[i] == kNoRule ? kNoRule : live_at[matched[i]];
    }

    for (std::size_t i = 0; i < wanted.rules.size(); i++) {
        Rule& rule = wanted.rules[i];
        const Rule* before = positions[i] == kNoRule ? nullptr : &live.rules[positions[i]];
        if (before != nullptr && !before->same(rule)) {
            // Replaced: the same rule to the user, but its hits begin anew.
            rule.handle = before->handle;
            WEIR_TRY(rule.slot, rules.take());
            continue;
        }
        WEIR_CHECK(identify(rule, before, rules));
    }
    return {};
}

Result<> Assigner::assign(Service& wanted, const Service* live) {
    WEIR_CHECK(identify(wanted, live, services));
    wanted.buckets = ring_buckets(wanted.backends.size(), live != nullptr ? live->buckets : 0);
    std::map<IpAddr, const Backend*> before;
    if (live != nullptr) {
        for (const Backend& backend : live->backends) {
            before.emplace(backend.address, &backend);
        }
    }
    for (Backend& backend : wanted.backends) {
        const auto found = before.find(backend.address);
        WEIR_CHECK(identify(backend, found == before.end() ? nullptr : found->second, backends));
    }
    return {};
}

} // namespace

std::uint32_t ring_buckets(std::size_t backends, std::uint32_t before) {
    // Shares are right to a percent with so many buckets for each backend; it grows when it has fewer
    // than half.
    constexpr std::uint64_t kEach = 100;
    const auto at_least = [](std::uint64_t buckets) {
        return static_cast<std::uint32_t>(
            std::clamp<std::uint64_t>(std::bit_ceil(buckets), RING_PAGE, RING_BUCKETS_MAX));
    };
    return before >= at_least(kEach / 2 * backends) ? before : at_least(kEach * backends);
}

void keep_rings(Balancer& balancer, const Balancer& live) {
    for (Service& service : balancer.services) {
        for (const Service& each : live.services) {
            if (each.slot == service.slot && each.handle == service.handle) {
                service.buckets = std::max(service.buckets, each.buckets);
            }
        }
    }
}

std::vector<std::size_t> match_rules(const std::vector<Rule>& from, const std::vector<Rule>& to) {
    std::vector<std::size_t> match(to.size(), kNoRule);
    // What is alike at both ends stays; so among repeated rules those that stand still are matched.
    std::size_t first = 0;
    while (first < from.size() && first < to.size() && from[first].same(to[first])) {
        match[first] = first;
        first++;
    }
    std::size_t from_end = from.size();
    std::size_t to_end = to.size();
    while (from_end > first && to_end > first && from[from_end - 1].same(to[to_end - 1])) {
        match[--to_end] = --from_end;
    }

    // Positions in `from` by hash, the first at the end.
    std::unordered_map<std::uint64_t, std::vector<std::size_t>> places;
    for (std::size_t i = from_end; i > first; i--) {
        places[hash(from[i - 1])].push_back(i - 1);
    }
    for (std::size_t i = first; i < to_end; i++) {
        const auto found = places.find(hash(to[i]));
        if (found == places.end()) {
            continue;
        }
        std::vector<std::size_t>& candidates = found->second;
        const auto same = std::find_if(candidates.rbegin(), candidates.rend(),
                                       [&](std::size_t j) { return from[j].same(to[i]); });
        if (same != candidates.rend()) {
            match[i] = *same;
            candidates.erase(std::next(same).base());
        }
    }
    return match;
}

Result<FreshSlots> assign_identities(Config& wanted, const Config& live,
                                     const std::vector<const Config*>& kept, const Limits& limits,
                                     Identities& ids) {
    Assigner assigner{{limits.rules, "rules", "--max-rules"},
                      {limits.services, "services", "--max-services"},
                      {limits.backends, "backends", "--max-backends"},
                      ids};
    assigner.reserve(live);
    for (const Config* config : kept) {
        assigner.reserve(*config);
    }

    WEIR_CHECK(assigner.assign(wanted.ingress, live.ingress));
    WEIR_CHECK(assigner.assign(wanted.egress, live.egress));
    std::map<ServiceKey, const Service*> before;
    for (const Service& service : live.balancer.services) {
        before.emplace(service.key, &service);
    }
    for (Service& service : wanted.balancer.services) {
        const auto found = before.find(service.key);
        WEIR_CHECK(assigner.assign(service, found == before.end() ? nullptr : found->second));
    }
    ids = assigner.ids;
    return FreshSlots{std::move(assigner.rules).fresh(), std::move(assigner.services).fresh(),
                      std::move(assigner.backends).fresh()};
}

} // namespace weir::model
