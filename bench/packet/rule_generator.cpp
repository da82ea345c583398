#include "bench/packet/rule_generator.h"

#include <array>
#include <random>

namespace weir::bench {
namespace {

using Random = std::mt19937_64;

// Uniform enough for rules, and the same with every standard library.
std::uint64_t below(Random& random, std::uint64_t bound) {
    return random() % bound;
}

// A network for benchmarks (RFC 2544: 198.18.0.0/15) is left out of what rules name, so that
// packets which no rule matches have somewhere to come from.
IpAddr address(Family family, Random& random) {
    if (family == Family::kIpv4) {
        return IpAddr::v4(static_cast<std::uint32_t>(0x0a000000 | (random() & 0x00ffffff)));
    }
    return IpAddr::v6({0x20010db800000000 | (random() & 0xffffffff), random()});
}

// An address of the prefix.
IpAddr member(const Prefix& prefix, Random& random) {
    const int host_bits = prefix.address().bits() - prefix.length();
    U128 number = prefix.first();
    if (host_bits >= 64) {
        number.lo = random();
    } else {
        number.lo |= random() & ((std::uint64_t{1} << host_bits) - 1);
    }
    return prefix.address().family() == Family::kIpv4
               ? IpAddr::v4(static_cast<std::uint32_t>(number.lo))
               : IpAddr::v6(number);
}

struct Side {
    std::string word; // "saddr"
    std::optional<IpAddr>* packet;
};

void add_address(GeneratedRule& rule, const Side& side, const Prefix& prefix, Random& random) {
    rule.text += (prefix.address().family() == Family::kIpv4 ? "ip " : "ip6 ") + side.word + " " +
                 prefix.to_string() + " ";
    *side.packet = member(prefix, random);
}

// What a packet has that no address of a rule speaks of.
void set_ends(GeneratedRule& rule, Family family, Random& random) {
    rule.match.family = family;
    rule.match.saddr = address(family, random);
    rule.match.daddr = address(family, random);
    rule.match.sport = static_cast<std::uint16_t>(1024 + below(random, 60000));
}

constexpr std::array kServices = {22, 25, 53, 80, 110, 123, 143, 389, 443, 445, 993, 3306, 8080};

void add_realistic_ports(GeneratedRule& rule, Random& random) {
    const bool udp = below(random, 4) == 0;
    const std::uint64_t kind = below(random, 10);
    rule.match.protocol = udp ? 17 : 6;
    std::uint64_t port = 1024 + below(random, 60000);
    std::string wanted = std::to_string(port);
    if (kind < 4) {
        port = static_cast<std::uint64_t>(kServices[below(random, kServices.size())]);
        wanted = std::to_string(port);
    } else if (kind == 7) {
        wanted += "-" + std::to_string(port + below(random, 512));
    } else if (kind > 7) {
        rule.text += "meta l4proto " + std::string(udp ? "udp " : "tcp ");
        return;
    }
    rule.match.dport = static_cast<std::uint16_t>(port);
    rule.text += std::string(udp ? "udp" : "tcp") + " dport " + wanted + " ";
}

int realistic_length(Family family, Random& random) {
    static constexpr std::array kFour = {32, 32, 32, 24, 24, 24, 24, 28, 27, 16, 20, 22};
    static constexpr std::array kSix = {128, 128, 64, 64, 64, 64, 56, 56, 48, 48};
    return family == Family::kIpv4 ? kFour[below(random, kFour.size())]
                                   : kSix[below(random, kSix.size())];
}

} // namespace

std::vector<GeneratedRule> realistic_rules(Family family, std::size_t count, std::uint64_t seed) {
    Random random(seed);
    std::vector<GeneratedRule> rules(count);
    for (GeneratedRule& rule : rules) {
        set_ends(rule, family, random);
        const std::uint64_t sides = below(random, 4); // 0, 1: both; 2: source; 3: destination
        if (sides != 3) {
            add_address(rule, {"saddr", &rule.match.saddr},
                        Prefix(address(family, random), realistic_length(family, random)), random);
        }
        if (sides != 2) {
            add_address(rule, {"daddr", &rule.match.daddr},
                        Prefix(address(family, random), realistic_length(family, random)), random);
        }
        add_realistic_ports(rule, random);
        rule.text += "drop";
    }
    return rules;
}

std::vector<GeneratedRule> adversarial_rules(Family family, std::size_t count, std::uint64_t seed) {
    Random random(seed);
    std::vector<GeneratedRule> rules(count);
    const int shortest = family == Family::kIpv4 ? 9 : 33;
    for (GeneratedRule& rule : rules) {
        set_ends(rule, family, random);
        rule.match.protocol = 6;
        add_address(rule, {"saddr", &rule.match.saddr},
                    Prefix(address(family, random), shortest + static_cast<int>(below(random, 6))),
                    random);
        for (const auto& [word, port] :
             {std::pair{"sport", &rule.match.sport}, std::pair{"dport", &rule.match.dport}}) {
            const std::uint64_t first = 1 + below(random, 30000);
            const std::uint64_t last = first + 1 + below(random, 30000);
            rule.text += "tcp " + std::string(word) + " " + std::to_string(first) + "-" +
                         std::to_string(last) + " ";
            *port = static_cast<std::uint16_t>(first + below(random, last - first));
        }
        rule.text += "drop";
    }
    return rules;
}

} // namespace weir::bench
