#include <cstdio>
#include <optional>

#include "text/rule_flags.h"
#include "text/rule_names.h"
#include "text/rule_value.h"

namespace weir::text {
namespace {

using model::Interval;
using model::Match;
using model::Rule;
using model::ValueType;

std::string hex(std::uint64_t value, int digits) {
    char text[20];
    std::snprintf(text, sizeof text, "0x%0*llx", digits, static_cast<unsigned long long>(value));
    return text;
}

std::string print_ifname(const Interval& interval) {
    const auto first = IpAddr::v6(interval.first).octets();
    std::string name;
    for (std::size_t i = 0; i < first.size() && first[i] != 0; i++) {
        name += static_cast<char>(first[i]);
    }
    return '"' + name + (interval.first == interval.last ? "" : "*") + '"';
}

IpAddr address(ValueType type, U128 number) {
    return type == ValueType::kIpv4 ? IpAddr::v4(static_cast<std::uint32_t>(number.lo))
                                    : IpAddr::v6(number);
}

std::string print_number(ValueType type, U128 number) {
    switch (type) {
    case ValueType::kIpv4:
    case ValueType::kIpv6:
        return address(type, number).to_string();
    case ValueType::kMac:
        return MacAddr::from_number(number.lo).to_string();
    case ValueType::kEtherType:
        return hex(number.lo, 4);
    case ValueType::kDscp:
        return hex(number.lo, 2);
    default:
        return std::to_string(number.lo);
    }
}

// The prefix that has just these addresses, if there is one.
std::optional<Prefix> as_prefix(ValueType type, const Interval& interval) {
    const IpAddr first = address(type, interval.first);
    for (int length = 0; length <= first.bits(); length++) {
        const Prefix prefix(first, length);
        if (prefix.first() == interval.first && prefix.last() == interval.last) {
            return prefix;
        }
    }
    return std::nullopt;
}

std::string print_match(const Match& match, Style style) {
    const model::FieldInfo& field = model::info(match.field);
    std::string text(field.keyword);
    if (field.type == ValueType::kTcpFlags) {
        return text + " " + print_flags(match, style);
    }
    if (match.mask) {
        text +=
            " & " + print_number(field.type, {0, *match.mask}) + (match.negated ? " !=" : " ==");
    } else if (match.negated) {
        text += " !=";
    }
    if (!match.set.empty()) {
        return text + " @" + match.set;
    }
    std::string list;
    for (const Interval& value : match.values) {
        list += (list.empty() ? "" : ", ") + print_interval(field.type, value, style);
    }
    return text + (match.braces ? " { " + list + " }" : " " + list);
}

} // namespace

std::string print_interval(ValueType type, const Interval& interval, Style style) {
    if (type == ValueType::kIfname) {
        return print_ifname(interval);
    }
    if (interval.first == interval.last) {
        const std::string_view name =
            style == Style::kNames ? find_name(type, interval.first.lo) : "";
        return name.empty() ? print_number(type, interval.first) : std::string(name);
    }
    if (type == ValueType::kIpv4 || type == ValueType::kIpv6) {
        if (const auto prefix = as_prefix(type, interval)) {
            return prefix->to_string();
        }
    }
    return print_number(type, interval.first) + "-" + print_number(type, interval.last);
}

std::string print(const Rule& rule, Style style) {
    std::string text;
    const auto add = [&](const std::string& words) { text += (text.empty() ? "" : " ") + words; };
    for (const Match& match : rule.matches) {
        add(print_match(match, style));
    }
    if (rule.counter) {
        add("counter");
    }
    if (rule.verdict) {
        add(*rule.verdict == model::Verdict::kAccept ? "accept" : "drop");
    }
    if (!rule.comment.empty()) {
        add("comment \"" + rule.comment + "\"");
    }
    return text;
}

} // namespace weir::text
