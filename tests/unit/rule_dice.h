#pragma once

#include <algorithm>
#include <random>
#include <tuple>
#include <vector>

#include "rule_oracle.h"

namespace weir::test {

// Random rules over few values, so that they meet one another, the packets, and every boundary.
class Dice {
public:
    // Rules of these fields alone; empty: of all.
    explicit Dice(std::uint32_t seed, std::vector<Field> fields = {})
        : random_(seed), fields_(std::move(fields)) {}

    std::uint64_t below(std::uint64_t n) { return random_() % n; }
    bool one_in(std::uint64_t n) { return below(n) == 0; }
    template <typename T, std::size_t N>
    T of(const T (&choices)[N]) {
        return choices[below(N)];
    }

    // A value for a field of this width: boundaries, and their neighbours.
    U128 number(int bits) {
        const std::uint64_t halves[] = {0,          1,     0x20010db800000000, 0x20010db800000001,
                                        kMax64 - 1, kMax64};
        if (bits == 128) {
            return {of(halves), of(halves)};
        }
        const std::uint64_t maximum = (std::uint64_t{1} << bits) - 1;
        const std::uint64_t numbers[] = {
            0,      1,      2,          5,           6,          7,
            17,     58,     80,         maximum / 2, maximum,    maximum - 1,
            0x0800, 0x86dd, 0x0a000001, 0x0806,      0x0a0000ff, below(maximum)};
        return {0, of(numbers) & maximum};
    }

    std::vector<Interval> intervals(int bits, std::size_t most) {
        std::vector<Interval> list;
        for (std::size_t n = 1 + below(most); n-- > 0;) {
            U128 a = number(bits);
            U128 b = one_in(2) ? a : number(bits);
            list.push_back({std::min(a, b), std::max(a, b)});
        }
        return model::merged(std::move(list));
    }

    Match match() {
        const auto fields = model::all_fields();
        const model::FieldInfo& info = fields_.empty()
                                           ? fields[below(fields.size())]
                                           : model::info(fields_[below(fields_.size())]);
        Match m = any_of(info.field, {});
        m.negated = one_in(3);
        if (info.set_fact >= 0 && one_in(2)) {
            const bool v6 = info.bits == 128;
            const bool port = info.bits == 16;
            m.set = (port ? "port" : v6 ? "six" : "four") + std::to_string(below(2));
        } else if (info.bits <= 16 && one_in(4)) {
            m.mask = 1 + below((1U << info.bits) - 2);
            for (std::size_t n = 1 + below(3); n-- > 0;) {
                const U128 v{0, number(info.bits).lo & (one_in(4) ? kMax64 : *m.mask)};
                m.values.push_back({v, v});
            }
        } else {
            m.values = intervals(info.bits, one_in(2) ? 1 : 12);
        }
        return m;
    }

    model::Config config() {
        model::Config config;
        for (const auto& [prefix, type, bits] :
             {std::tuple{"four", model::SetType::kIpv4Addr, 32},
              std::tuple{"six", model::SetType::kIpv6Addr, 128},
              std::tuple{"port", model::SetType::kInetService, 16}}) {
            for (int i = 0; i < 2; i++) {
                const std::string name = prefix + std::to_string(i);
                config.sets[name] = set(name, type, intervals(bits, 3));
            }
        }
        model::Slot slot = 0;
        for (model::Chain* chain : {&config.ingress, &config.egress}) {
            chain->policy = one_in(2) ? Verdict::kAccept : Verdict::kDrop;
            for (std::size_t n = below(20); n-- > 0;) {
                std::vector<Match> all;
                for (std::size_t m = one_in(30) ? 0 : 1 + below(3); m-- > 0;) {
                    all.push_back(match());
                }
                const std::optional<Verdict> verdicts[] = {Verdict::kAccept, Verdict::kDrop,
                                                           std::nullopt};
                chain->rules.push_back(rule(std::move(all), of(verdicts), slot++));
            }
        }
        return config;
    }

    Packet packet() {
        Packet p;
        p.ifname = number(128);
        p.ether_saddr = number(48).lo;
        p.ether_daddr = number(48).lo;
        const std::uint16_t types[] = {kIpv4, kIpv4, kIpv6, kIpv6, 0x0806, 0};
        p.ether_type = of(types);
        if (one_in(2)) {
            p.vlan = number(12).lo;
        }
        p.saddr = number(p.ether_type == kIpv4 ? 32 : 128);
        p.daddr = number(p.ether_type == kIpv4 ? 32 : 128);
        p.dscp = number(6).lo;
        const std::uint64_t protos[] = {6, 6, 17, 17, 1, 58, 47, 255, 0};
        p.l4proto = of(protos);
        p.later_fragment = one_in(5);
        p.frag_off = number(16).lo;
        p.sport = number(16).lo;
        p.dport = number(16).lo;
        p.flags = number(8).lo;
        p.type = number(8).lo;
        p.code = number(8).lo;
        return p;
    }

private:
    std::mt19937_64 random_;
    std::vector<Field> fields_;
};

} // namespace weir::test
