#include <algorithm>
#include <cstring>
#include <string>

#include "compile/images.h"
#include "compile/intervals.h"

namespace weir::compile {
namespace {

// Sets, by bit, that hold every address of a prefix.
struct Element {
    Prefix prefix;
    std::uint64_t sets;
};

// Each prefix once, with the sets of all prefixes that cover it: the longest match then answers for
// every set at once.
std::vector<Element> closure(std::vector<Element> elements) {
    // A prefix stands right before those that it covers.
    std::sort(elements.begin(), elements.end(),
              [](const Element& a, const Element& b) { return a.prefix < b.prefix; });
    std::vector<Element> closed;
    std::vector<std::size_t> covering; // indices in `closed`, each within the one before
    for (const Element& e : elements) {
        while (!covering.empty() && !closed[covering.back()].prefix.contains(e.prefix)) {
            covering.pop_back();
        }
        if (!covering.empty() && closed[covering.back()].prefix == e.prefix) {
            closed[covering.back()].sets |= e.sets;
            continue;
        }
        const std::uint64_t inherited = covering.empty() ? 0 : closed[covering.back()].sets;
        covering.push_back(closed.size());
        closed.push_back({e.prefix, e.sets | inherited});
    }
    return closed;
}

std::vector<Element> addresses(const model::Config& config, Family family) {
    const auto type =
        family == Family::kIpv4 ? model::SetType::kIpv4Addr : model::SetType::kIpv6Addr;
    std::vector<Element> elements;
    for (const auto& [name, set] : config.sets) {
        if (set.type != type) {
            continue;
        }
        const std::uint64_t bit = std::uint64_t{1} << *set_bit(config, name);
        for (const model::Interval& range : set.elements) {
            for (const Prefix& prefix : model::prefixes_of(family, range)) {
                elements.push_back({prefix, bit});
            }
        }
    }
    return closure(std::move(elements));
}

std::vector<set_mask> ports(const model::Config& config) {
    std::vector<set_mask> masks;
    for (const auto& [name, set] : config.sets) {
        if (set.type != model::SetType::kInetService) {
            continue;
        }
        masks.resize(PORTS);
        const std::uint64_t bit = std::uint64_t{1} << *set_bit(config, name);
        for (const model::Interval& range : set.elements) {
            for (std::uint64_t port = range.first.lo; port <= range.last.lo; port++) {
                masks[port].sets |= bit;
            }
        }
    }
    return masks;
}

} // namespace

std::optional<unsigned> set_bit(const model::Config& config, const std::string& name) {
    const auto at = config.sets.find(name);
    if (at == config.sets.end()) {
        return std::nullopt;
    }
    return static_cast<unsigned>(std::distance(config.sets.begin(), at));
}

Sets compile_sets(const model::Config& config) {
    Sets sets;
    for (const Element& e : addresses(config, Family::kIpv4)) {
        set4_key key{.prefix_len = static_cast<__u32>(e.prefix.length()), .addr = 0};
        std::memcpy(&key.addr, e.prefix.address().octets().data(), sizeof key.addr);
        sets.v4.push_back({key, {e.sets}});
    }
    for (const Element& e : addresses(config, Family::kIpv6)) {
        set6_key key{.prefix_len = static_cast<__u32>(e.prefix.length()), .addr = {}};
        std::memcpy(key.addr, e.prefix.address().octets().data(), sizeof key.addr);
        sets.v6.push_back({key, {e.sets}});
    }
    sets.ports = ports(config);
    return sets;
}

} // namespace weir::compile
