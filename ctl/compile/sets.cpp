#include <algorithm>
#include <bit>
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

int trailing_zeros(U128 n) {
    return n.lo != 0 ? std::countr_zero(n.lo) : 64 + (n.hi != 0 ? std::countr_zero(n.hi) : 64);
}

// The fewest prefixes that make up a range: from its begin, always the largest aligned block
// inside.
void append_prefixes(std::vector<Element>& out, Family family, model::Interval range,
                     std::uint64_t sets) {
    const int bits = family == Family::kIpv4 ? 32 : 128;
    for (;;) {
        const IpAddr first = family == Family::kIpv4
                                 ? IpAddr::v4(static_cast<std::uint32_t>(range.first.lo))
                                 : IpAddr::v6(range.first);
        int length = bits - std::min(bits, trailing_zeros(range.first));
        while (Prefix(first, length).last() > range.last) {
            length++;
        }
        const Prefix prefix(first, length);
        out.push_back({prefix, sets});
        const U128 last = prefix.last();
        if (last >= range.last) {
            return;
        }
        range.first = {last.hi + (last.lo == ~std::uint64_t{0}), last.lo + 1};
    }
}

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

Result<std::vector<Element>> addresses(const model::Config& config, Family family,
                                       const model::Limits& limits) {
    const auto type =
        family == Family::kIpv4 ? model::SetType::kIpv4Addr : model::SetType::kIpv6Addr;
    std::vector<Element> elements;
    for (const auto& [name, set] : config.sets) {
        if (set.type != type) {
            continue;
        }
        const std::uint64_t bit = std::uint64_t{1} << *set_bit(config, name);
        for (const model::Interval& range : set.elements) {
            append_prefixes(elements, family, range, bit);
        }
    }
    elements = closure(std::move(elements));
    if (elements.size() > limits.set_elements) {
        const std::string count = std::to_string(elements.size());
        return fail(count + (family == Family::kIpv4 ? " IPv4" : " IPv6") +
                    " prefixes in all sets: the limit is " + std::to_string(limits.set_elements) +
                    "; to raise it: `weir unload`, then `weir load --max-set-elements " + count +
                    "`");
    }
    return elements;
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

Result<Sets> compile_sets(const model::Config& config, const model::Limits& limits) {
    if (config.sets.size() > SETS_MAX) {
        return fail(std::to_string(config.sets.size()) + " sets: at most " +
                    std::to_string(SETS_MAX) + " are possible; join some of them");
    }
    Sets sets;
    WEIR_TRY(const std::vector<Element> v4, addresses(config, Family::kIpv4, limits));
    for (const Element& e : v4) {
        set4_key key{.prefix_len = static_cast<__u32>(e.prefix.length()), .addr = 0};
        std::memcpy(&key.addr, e.prefix.address().octets().data(), sizeof key.addr);
        sets.v4.push_back({key, {e.sets}});
    }
    WEIR_TRY(const std::vector<Element> v6, addresses(config, Family::kIpv6, limits));
    for (const Element& e : v6) {
        set6_key key{.prefix_len = static_cast<__u32>(e.prefix.length()), .addr = {}};
        std::memcpy(key.addr, e.prefix.address().octets().data(), sizeof key.addr);
        sets.v6.push_back({key, {e.sets}});
    }
    sets.ports = ports(config);
    return sets;
}

} // namespace weir::compile
