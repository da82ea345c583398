#include "text/rule_value.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <netdb.h>
#include <utility>

#include "text/rule_names.h"

namespace weir::text {
namespace {

using model::Interval;
using model::ValueType;

constexpr std::size_t kIfnameMax = 15; // IFNAMSIZ without the terminator

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// A word, or one end of a range inside of a word, and where it stands.
struct Operand {
    std::string_view text;
    const Token* at;
};

std::string limits_of(const ValueForm& form) {
    return "0 to " + std::to_string(form.maximum.lo);
}

std::string expected(const ValueForm& form) {
    switch (form.type) {
    case ValueType::kIfname:
        return R"(an interface name, "eth0" or "eth*")";
    case ValueType::kMac:
        return "an Ethernet address, 02:00:00:00:00:01";
    case ValueType::kIpv4:
        return "an IPv4 address, prefix or range: 10.0.0.1, 10.0.0.0/8, 10.0.0.1-10.0.0.9";
    case ValueType::kIpv6:
        return "an IPv6 address, prefix or range: 2001:db8::1, 2001:db8::/32, ::1-::9";
    case ValueType::kPort:
        return "a port, 0 to 65535, or the name of a service";
    case ValueType::kNumber:
        return limits_of(form);
    default:
        return limits_of(form) + ", or a name such as " +
               std::string(names(form.type).front().name);
    }
}

// From the system's table (/etc/services), as nft does it; ports alone, whatever the protocol.
std::optional<std::uint64_t> service_port(std::string_view name) {
    const std::string terminated(name);
    std::array<char, 4096> buffer;
    servent entry{};
    servent* found = nullptr;
    const int error = ::getservbyname_r(terminated.c_str(), nullptr, &entry, buffer.data(),
                                        buffer.size(), &found);
    if (error != 0 || found == nullptr) {
        return std::nullopt;
    }
    const auto port = static_cast<std::uint16_t>(found->s_port); // network order
    return static_cast<std::uint16_t>(port >> 8 | port << 8);
}

// `ip saddr` for `ip6 saddr` and the other way round; "" if the field has no such twin.
std::string other_family(std::string_view owner) {
    if (owner.starts_with("ip ")) {
        return "ip6" + std::string(owner.substr(2));
    }
    return owner.starts_with("ip6 ") ? "ip" + std::string(owner.substr(3)) : "";
}

Parsed<U128> parse_address(const Operand& operand, const ValueForm& form) {
    const auto address = IpAddr::parse(operand.text);
    if (!address) {
        return refuse(*operand.at, quoted(operand.text) + ": expected " + expected(form));
    }
    const Family wanted = form.type == ValueType::kIpv4 ? Family::kIpv4 : Family::kIpv6;
    if (address->family() != wanted) {
        const bool v4 = wanted == Family::kIpv4;
        const std::string twin = other_family(form.owner);
        return refuse(*operand.at,
                      quoted(operand.text) + " is an IPv" + (v4 ? "6" : "4") +
                          " address: " + std::string(form.owner) + " takes IPv" + (v4 ? "4" : "6") +
                          (twin.empty() ? "" : "; did you mean " + quoted(twin) + "?"));
    }
    return address->number();
}

Parsed<U128> parse_mac(const Operand& operand, const ValueForm& form) {
    const auto mac = MacAddr::parse(operand.text);
    if (!mac) {
        return refuse(*operand.at, quoted(operand.text) + ": expected " + expected(form));
    }
    return U128{0, mac->number()};
}

tl::unexpected<TextError> refuse_word(const Operand& operand, const ValueForm& form) {
    if (form.type == ValueType::kProto && operand.text == "ipip") {
        return refuse(*operand.at, "'ipip' is protocol 94 in /etc/protocols, IP in IP is 4: write "
                                   "94, or 4 or ipencap");
    }
    const std::string near = did_you_mean(operand.text, all_names(form.type));
    return refuse(*operand.at, quoted(operand.text) + " is no value of " + std::string(form.owner) +
                                   ": expected " + expected(form) +
                                   (near.empty() ? "" : "; did you mean " + quoted(near) + "?"));
}

Parsed<U128> parse_numeric(const Operand& operand, const ValueForm& form) {
    const auto number = parse_number(operand.text);
    if (!number) {
        const auto named = form.type == ValueType::kPort ? service_port(operand.text)
                                                         : find_value(form.type, operand.text);
        return named ? Parsed<U128>(U128{0, *named}) : refuse_word(operand, form);
    }
    if (operand.text.size() > 1 && operand.text[0] == '0' && is_digit(operand.text[1])) {
        return refuse(*operand.at, quoted(operand.text) +
                                       " would be octal in nft: write it without leading zeros");
    }
    if (number->overflow || U128{0, number->value} > form.maximum) {
        return refuse(*operand.at, quoted(operand.text) + " is out of range: " +
                                       std::string(form.owner) + " takes " + limits_of(form));
    }
    return U128{0, number->value};
}

Parsed<U128> parse_value(const Operand& operand, const ValueForm& form) {
    switch (form.type) {
    case ValueType::kIpv4:
    case ValueType::kIpv6:
        return parse_address(operand, form);
    case ValueType::kMac:
        return parse_mac(operand, form);
    default:
        return parse_numeric(operand, form);
    }
}

// An interface name as a 16-octet number; "eth*" is all numbers that begin so.
Parsed<Interval> parse_ifname(const Token& token, const ValueForm& form) {
    std::string_view name = token.text;
    const bool prefix = name.ends_with('*');
    if (name.empty() || name == "*") {
        return refuse(token,
                      name.empty()
                          ? "the interface name is empty: expected " + expected(form)
                          : "'*' is every interface: leave " + std::string(form.owner) + " out");
    }
    if (name.size() > kIfnameMax) {
        return refuse(token, quoted(name) + " is too long: an interface name has at most " +
                                 std::to_string(kIfnameMax) + " octets");
    }
    if (name.find_first_of(" \t\r/:\\") != std::string_view::npos) {
        return refuse(token, quoted(name) + " is not an interface name: it has no spaces, '/', ':' "
                                            "or '\\'");
    }
    name.remove_suffix(prefix ? 1 : 0);
    std::array<std::uint8_t, 16> first{};
    std::array<std::uint8_t, 16> last{};
    last.fill(prefix ? 0xff : 0);
    std::copy(name.begin(), name.end(), first.begin());
    std::copy(name.begin(), name.end(), last.begin());
    const auto number = [](const std::array<std::uint8_t, 16>& octets) {
        U128 result;
        for (int i = 0; i < 8; i++) {
            result.hi = result.hi << 8 | octets[i];
            result.lo = result.lo << 8 | octets[8 + i];
        }
        return result;
    };
    return Interval{number(first), number(last)};
}

// The position of the '-' of a range. Names have one too (echo-request, http-alt): ranges of what
// can be named begin with a number.
std::size_t range_dash(std::string_view word, const ValueForm& form) {
    const bool address = form.type == ValueType::kIpv4 || form.type == ValueType::kIpv6 ||
                         form.type == ValueType::kMac;
    const std::size_t dash = word.find('-');
    const bool range = address || parse_number(word.substr(0, dash));
    return range ? dash : std::string_view::npos;
}

Parsed<Interval> parse_range(const Operand& first, const Operand& last, const ValueForm& form) {
    WEIR_PARSE(const U128 low, parse_value(first, form));
    WEIR_PARSE(const U128 high, parse_value(last, form));
    if (high < low) {
        const std::string a(first.text);
        const std::string b(last.text);
        return refuse(*first.at,
                      "the range " + quoted(a + "-" + b) + " is reversed: write " + b + "-" + a);
    }
    return Interval{low, high};
}

// After the '/'.
Parsed<Interval> parse_prefix(Cursor& cursor, const Token& first, const ValueForm& form,
                              std::vector<Warning>& warnings) {
    const Token& length_token = cursor.take();
    const std::string written(cursor.since(first));
    WEIR_PARSE(const U128 number, parse_address({first.text, &first}, form));
    const bool v4 = form.type == ValueType::kIpv4;
    const IpAddr address =
        v4 ? IpAddr::v4(static_cast<std::uint32_t>(number.lo)) : IpAddr::v6(number);
    const auto length = parse_number(length_token.text);
    if (!length_token.word() || !length || length->overflow ||
        length->value > static_cast<std::uint64_t>(address.bits())) {
        return refuse(first, quoted(written) + ": the prefix length must be 0 to " +
                                 std::to_string(address.bits()));
    }
    const Prefix prefix(address, static_cast<int>(length->value));
    if (prefix.address() != address) {
        warnings.push_back(
            {first.place, written + " has host bits set: taken as " + prefix.to_string()});
    }
    return Interval{prefix.first(), prefix.last()};
}

} // namespace

ValueForm form_of(const model::FieldInfo& field) {
    const U128 maximum = field.bits == 128 ? U128{~0ULL, ~0ULL} : U128{0, field.maximum};
    return {field.keyword, field.type, maximum};
}

std::string_view take_comparison(Cursor& cursor) {
    constexpr std::pair<std::string_view, std::string_view> kWords[] = {
        {"==", "eq"}, {"!=", "ne"}, {"<", "lt"}, {">", "gt"}, {"<=", "le"}, {">=", "ge"}};
    for (const auto& [sign, word] : kWords) {
        if (cursor.peek().sign(sign) || cursor.peek().word(word)) {
            cursor.take();
            return sign;
        }
    }
    return {};
}

Parsed<bool> check_operand(const Token& token, std::string_view owner) {
    if (token.word() && token.text.starts_with('@')) {
        return refuse(token, quoted(token.text) + ": " + std::string(owner) +
                                 " takes no named set here; write the values, { A, B }");
    }
    if (token.sign("=")) {
        return refuse(token, "'=': write `==`, or no operator at all");
    }
    return true;
}

std::optional<Number> parse_number(std::string_view word) {
    const bool hex = word.starts_with("0x") || word.starts_with("0X");
    const std::string_view digits = hex ? word.substr(2) : word;
    if (digits.empty() || digits[0] == '-') {
        return std::nullopt;
    }
    Number number;
    const auto* const end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, number.value, hex ? 16 : 10);
    if (error == std::errc::invalid_argument || stop != end) {
        return std::nullopt;
    }
    number.overflow = error == std::errc::result_out_of_range;
    return number;
}

Parsed<Interval> parse_interval(Cursor& cursor, const ValueForm& form,
                                std::vector<Warning>& warnings) {
    const Token& first = cursor.peek();
    const bool string = first.kind == Token::Kind::kString && form.type == ValueType::kIfname;
    WEIR_PARSE_CHECK(check_operand(first, form.owner));
    if (!first.word() && !string) {
        return refuse(first, cursor.describe() + ": expected " + expected(form));
    }
    cursor.take();
    if (form.type == ValueType::kIfname) {
        return parse_ifname(first, form);
    }
    const std::size_t dash = range_dash(first.text, form);
    // `80 - 90`, `80- 90` and `80 -90` are ranges too, as in nft.
    const bool open = dash != std::string_view::npos && dash + 1 == first.text.size();
    if (dash != std::string_view::npos && !open) {
        return parse_range({first.text.substr(0, dash), &first},
                           {first.text.substr(dash + 1), &first}, form);
    }
    if (open || (cursor.peek().word() && cursor.peek().text.starts_with('-'))) {
        const std::string_view low = open ? first.text.substr(0, dash) : first.text;
        const bool alone = !open && cursor.peek().text == "-";
        if (alone) {
            cursor.take();
        }
        const Token& last = cursor.peek();
        if (!last.word()) {
            return refuse(last, cursor.describe() + ": expected the end of the range " +
                                    quoted(std::string(low) + "-"));
        }
        cursor.take();
        return parse_range({low, &first}, {last.text.substr(open || alone ? 0 : 1), &last}, form);
    }
    if (cursor.peek().sign("/")) {
        const Token& slash = cursor.take();
        if (form.type != ValueType::kIpv4 && form.type != ValueType::kIpv6) {
            return refuse(slash, "'/': " + std::string(form.owner) +
                                     " takes no prefix length; write a range, FIRST-LAST");
        }
        return parse_prefix(cursor, first, form, warnings);
    }
    WEIR_PARSE(const U128 value, parse_value({first.text, &first}, form));
    return Interval{value, value};
}

Parsed<std::uint64_t> parse_single(Cursor& cursor, const ValueForm& form,
                                   std::vector<Warning>& warnings) {
    const Token& first = cursor.peek();
    WEIR_PARSE(const Interval interval, parse_interval(cursor, form, warnings));
    if (interval.first != interval.last) {
        return refuse(first, quoted(cursor.since(first)) + ": one value is expected here");
    }
    return interval.first.lo;
}

} // namespace weir::text
