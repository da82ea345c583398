// Pages of names and numbers: reasons, packet classes, limits.
#include <fmt/format.h>

#include "maps/balancer.h"
#include "maps/firewall.h"
#include "maps/interface.h"
#include "model/config.h"
#include "pages.h"
#include "verbs/all.h"
#include "verbs/command_line.h"
#include "verbs/help.h"

namespace weir::docs {
namespace {

struct ReasonRow {
    std::string_view name, meaning;
};
constexpr ReasonRow kReasons[] = {
#define X(enumerator, name, meaning) {name, meaning},
    WEIR_REASONS(X)
#undef X
};

struct ClassRow {
    std::string_view name;
    class_action action;
    reason why;
};
constexpr ClassRow kClasses[] = {
#define X(enumerator, name, action, reason) {name, action, reason},
    WEIR_PACKET_CLASSES(X)
#undef X
};

// The number behind a #define of a BPF header, which only a BPF compiler can include.
std::string defined(const std::string& header, const std::string& name) {
    const std::string text = source(header);
    const std::string define = "#define " + name;
    const std::size_t at = text.find(define);
    if (at == std::string::npos) {
        return "?";
    }
    const std::size_t begin = text.find_first_not_of(" \t", at + define.size());
    return text.substr(begin, text.find('\n', begin) - begin);
}

} // namespace

std::string reasons_page() {
    std::string text = "# Reasons\n\nWhy a packet met its verdict: printed by `weir explain`, and "
                       "for drops by `weir "
                       "stats` and `weir ledger`.\n\n| reason | meaning |\n|---|---|\n";
    for (const ReasonRow& row : kReasons) {
        text += fmt::format("| `{}` | {} |\n", row.name, cell(row.meaning));
    }
    return text;
}

std::string classes_page() {
    std::string text =
        "# Packet classes\n\nOdd but legal packets. For each class the operator says what is done "
        "(`weir fw policy CLASS ACTION`, or `firewall: packets:` in YAML): `filter`, the rules "
        "decide; `accept`, without asking the rules; `drop`. A packet of several classes is "
        "dropped "
        "if one of them says so. `weir stats` counts what was seen of each class.\n\n"
        "| class | by default | reason when the class decides |\n|---|---|---|\n";
    for (const ClassRow& row : kClasses) {
        text += fmt::format("| `{}` | {} | `{}` |\n", row.name, model::name(row.action),
                            model::name(row.why));
    }
    return text;
}

std::string limits_page() {
    std::string text = "# Limits\n\n## Set when Weir is loaded\n\nWhat exceeds a limit is refused "
                       "with the limit and the option that raises it, and nothing changes. "
                       "[How to raise limits](../how-to/raise-limits.md).\n\n"
                       "| option of `weir load` | meaning, default in brackets |\n|---|---|\n";
    const auto sizes = verbs::options_of(verbs::load);
    for (const auto& option : sizes.options()) {
        text += fmt::format("| `{}` | {} |\n", verbs::option_usage(*option),
                            cell(option->description()));
    }
    text += "\n## Fixed\n\n| what | limit |\n|---|---|\n";
    const auto row = [&](std::string_view what, const std::string& limit) {
        text += fmt::format("| {} | {} |\n", what, limit);
    };
    row("named sets", std::to_string(SETS_MAX));
    row("interfaces with counters of their own", std::to_string(IFACES_MAX - 1));
    row("generations kept: the live one, and those before it",
        std::to_string(GENERATION_SLOTS - 1));
    row("buckets of a service's ring, at most", std::to_string(RING_BUCKETS_MAX));
    row("weight of a backend", std::to_string(model::kWeightMax));
    row("nodes of the compiled rules, at most", std::to_string(FW_NODES_LIMIT));
    row("VLAN tags that the parser follows", defined("dataplane/parse/parse.h", "VLAN_TAGS_MAX"));
    row("IPv6 extension headers that the parser follows",
        defined("dataplane/parse/ipv6.h", "IPV6_EXTENSIONS_MAX"));
    row("octets of a comment", "128");
    row("octets of a set's name", "64");
    return text;
}

} // namespace weir::docs
