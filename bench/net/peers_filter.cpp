#include <fmt/format.h>
#include <linux/bpf.h>

#include <nlohmann/json.hpp>

#include "bench/net/peers.h"
#include "bench/process.h"
#include "kernel/bpf.h"
#include "kernel/refusal.h"

namespace weir::bench {
namespace {

using nlohmann::json;

// --- nftables -----------------------------------------------------------------------------------

// The only counter of the table.
Result<DeviceBooks> nft_books(const Lab& lab) {
    WEIR_CHECK(lab.enter(Lab::Place::kDevice));
    WEIR_TRY(const auto text, run_process({"nft", "-j", "list", "table", "netdev", "bench"}));
    try {
        const json listed = json::parse(text);
        for (const json& object : listed.at("nftables")) {
            if (!object.contains("rule")) {
                continue;
            }
            for (const json& expression : object["rule"].at("expr")) {
                if (expression.contains("counter")) {
                    return DeviceBooks{
                        .handled = expression["counter"].at("packets").get<std::uint64_t>()};
                }
            }
        }
    } catch (const json::exception& error) {
        return fail(std::string("reading what `nft -j list table` says: ") + error.what());
    }
    return fail("`nft -j list table` shows no counter");
}

Result<Device> nft_device(const Lab& lab, const std::string& before, const std::string& rules) {
    const std::string ruleset =
        fmt::format("table netdev bench {{\n{}  chain in {{\n"
                    "    type filter hook ingress device \"{}\" priority 0\n"
                    "{}  }}\n}}\n",
                    before, lab.in(), rules);
    WEIR_TRY(const auto said, run_process({"nft", "-f", "-"}, ruleset));
    return Device{[&lab] { return nft_books(lab); }};
}

Result<Device> nft_rules(const Lab& lab, const NetJob& job) {
    if (job.set) {
        return fail("linear rules: nft-set and nft-map have sets");
    }
    std::string rules;
    for (const std::uint16_t port : rule_ports(job.rules)) {
        rules += fmt::format("    udp dport {} {}drop\n", port, port == kPort ? "counter " : "");
    }
    return nft_device(lab, "", rules);
}

Result<Device> nft_set(const Lab& lab, const NetJob& job) {
    if (job.set) {
        return nft_device(lab,
                          fmt::format("  set s {{\n    type ipv4_addr\n    elements = {{ {} }}\n"
                                      "  }}\n",
                                      fmt::join(set_elements(), ", ")),
                          "    ip saddr @s counter drop\n");
    }
    return nft_device(lab,
                      fmt::format("  set s {{\n    type inet_service\n    elements = {{ {} }}\n"
                                  "  }}\n",
                                  fmt::join(rule_ports(job.rules), ", ")),
                      "    udp dport @s counter drop\n");
}

// To a chain that counts and drops: a counter before the look-up would count what it lets through.
Result<Device> nft_map(const Lab& lab, const NetJob& job) {
    std::string elements;
    const auto add = [&](const auto& key) {
        elements += fmt::format("{}{} : goto gone", elements.empty() ? "" : ", ", key);
    };
    if (job.set) {
        for (const std::string& address : set_elements()) {
            add(address);
        }
    } else {
        for (const std::uint16_t port : rule_ports(job.rules)) {
            add(port);
        }
    }
    return nft_device(lab,
                      fmt::format("  chain gone {{\n    counter drop\n  }}\n"
                                  "  map m {{\n    type {} : verdict\n    elements = {{ {} }}\n"
                                  "  }}\n",
                                  job.set ? "ipv4_addr" : "inet_service", elements),
                      job.set ? "    ip saddr vmap @m\n" : "    udp dport vmap @m\n");
}

// --- iptables -----------------------------------------------------------------------------------

// "[packets:octets] -A PREROUTING … --dport 80 -j DROP" of the rule that drops.
Result<DeviceBooks> iptables_books(const Lab& lab) {
    WEIR_CHECK(lab.enter(Lab::Place::kDevice));
    WEIR_TRY(const auto text, run_process({"iptables-save", "-c", "-t", "raw"}));
    const std::size_t rule = text.find(fmt::format(" --dport {} ", kPort));
    const std::size_t count = rule == std::string::npos ? rule : text.rfind('[', rule);
    if (count == std::string::npos) {
        return fail("`iptables-save -c` does not show the rule that drops");
    }
    return DeviceBooks{.handled = std::strtoull(text.c_str() + count + 1, nullptr, 10)};
}

Result<Device> iptables_raw(const Lab& lab, const NetJob& job) {
    if (job.set) {
        return fail("iptables has no sets of its own");
    }
    std::string rules = "*raw\n";
    for (const std::uint16_t port : rule_ports(job.rules)) {
        rules += fmt::format("-A PREROUTING -p udp -m udp --dport {} -j DROP\n", port);
    }
    WEIR_TRY(const auto said, run_process({"iptables-restore"}, rules + "COMMIT\n"));
    return Device{[&lab] { return iptables_books(lab); }};
}

// --- xdp-filter ---------------------------------------------------------------------------------

// Its pinned statistics, by XDP action.
Result<DeviceBooks> xdp_filter_books() {
    struct Record { // of xdp-tools' headers/xdp/xdp_stats_kern_user.h
        std::uint64_t packets, bytes;
    };
    WEIR_TRY(const Fd map, kernel::open_pin("/sys/fs/bpf/xdp-filter/xdp_stats_map"));
    std::vector<Record> each(kernel::possible_cpus());
    const __u32 action = XDP_DROP;
    if (bpf_map_lookup_elem(map.get(), &action, each.data()) != 0) {
        return kernel::refusal("reading xdp-filter's statistics", errno);
    }
    DeviceBooks books;
    for (const Record& cpu : each) {
        books.handled += cpu.packets;
    }
    return books;
}

Result<Device> xdp_filter(const Lab& lab, const NetJob& job) {
    if (job.set) {
        return fail("xdp-filter takes one address a command: 10000 last too long");
    }
    WEIR_TRY(const auto said,
             run_process({"xdp-filter", "load", "-m", "native", "-f", "udp,ipv4", lab.in()}));
    for (const std::uint16_t port : rule_ports(job.rules)) {
        WEIR_TRY(const auto added, run_process({"xdp-filter", "port", "-m", "dst", "-p", "udp",
                                                std::to_string(port)}));
    }
    return Device{[] { return xdp_filter_books(); }};
}

} // namespace

std::vector<Peer> filter_peers() {
    return {
        {"nft-rules", "nftables, netdev ingress, linear rules", NetMode::kStack, nft_rules},
        {"nft-set", "nftables, netdev ingress, one rule with a set", NetMode::kStack, nft_set},
        {"nft-map", "nftables, netdev ingress, a verdict map", NetMode::kStack, nft_map},
        {"iptables-raw", "iptables, table raw, linear rules", NetMode::kStack, iptables_raw},
        {"xdp-filter", "xdp-filter of xdp-tools", NetMode::kNative, xdp_filter},
    };
}

} // namespace weir::bench
