#include "text/rule_flags.h"

#include <algorithm>

#include "text/rule_names.h"
#include "text/rule_value.h"

namespace weir::text {
namespace {

using model::Interval;
using model::Match;
using model::ValueType;

constexpr std::uint64_t kAllFlags = 0xff;
constexpr std::string_view kExpected =
    "expected fin, syn, rst, psh, ack, urg, ecn, cwr or 0x0 to 0xff";

std::string hex(std::uint64_t value) {
    char text[20];
    std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
    return text;
}

// The flags in `value`, or their numbers, joined.
std::string join(std::uint64_t value, std::string_view between, Style style) {
    if (value == 0) {
        return "0x0";
    }
    std::string text;
    for (std::uint64_t bit = 1; bit <= kAllFlags; bit <<= 1) {
        if ((value & bit) != 0) {
            text += text.empty() ? "" : between;
            text += style == Style::kNames ? find_name(ValueType::kTcpFlags, bit) : hex(bit);
        }
    }
    return text;
}

enum class Commas { kJoin, kSeparate }; // `syn,ack`: one value, or two elements of a list

Parsed<std::uint64_t> parse_flag(Cursor& cursor) {
    const Token& token = cursor.peek();
    WEIR_PARSE_CHECK(check_operand(token, "tcp flags"));
    if (!token.word()) {
        return refuse(token, cursor.describe() + ": " + std::string(kExpected));
    }
    cursor.take();
    if (const auto flag = find_value(ValueType::kTcpFlags, token.text)) {
        return *flag;
    }
    const auto number = parse_number(token.text);
    if (number && (number->overflow || number->value > kAllFlags)) {
        return refuse(token, quoted(token.text) + " is out of range: tcp flags takes 0x0 to 0xff");
    }
    if (number) {
        return number->value;
    }
    const std::string near = did_you_mean(token.text, all_names(ValueType::kTcpFlags));
    return refuse(token, quoted(token.text) + " is no TCP flag: " + std::string(kExpected) +
                             (near.empty() ? "" : "; did you mean " + quoted(near) + "?"));
}

// syn | ack, (syn | ack), syn,ack
Parsed<std::uint64_t> parse_value(Cursor& cursor, Commas commas) {
    if (cursor.take_sign("(")) {
        WEIR_PARSE(std::uint64_t value, parse_flag(cursor));
        while (cursor.take_sign("|")) {
            WEIR_PARSE(const std::uint64_t more, parse_flag(cursor));
            value |= more;
        }
        if (!cursor.take_sign(")")) {
            return refuse(cursor.peek(), cursor.describe() + ": expected '|' or ')'");
        }
        return value;
    }
    WEIR_PARSE(std::uint64_t value, parse_flag(cursor));
    while (cursor.take_sign("|") || (commas == Commas::kJoin && cursor.take_sign(","))) {
        WEIR_PARSE(const std::uint64_t more, parse_flag(cursor));
        value |= more;
    }
    return value;
}

class FlagsParser {
public:
    explicit FlagsParser(Cursor& cursor) : cursor_(cursor) {
        match_.field = model::Field::kTcpFlags;
    }

    Parsed<Match> run() {
        if (cursor_.take_sign("&")) {
            WEIR_PARSE_CHECK(mask(Commas::kSeparate));
            WEIR_PARSE(const std::string_view compare, comparison());
            match_.negated = compare == "!=";
            WEIR_PARSE_CHECK(cursor_.peek().sign("{") ? list() : value(Commas::kJoin));
            return finish();
        }
        if (cursor_.take_sign("!")) {
            WEIR_PARSE_CHECK(mask(Commas::kJoin));
            match_.values = {{}};
            return finish();
        }
        WEIR_PARSE(const std::string_view compare, comparison());
        match_.negated = compare == "!=";
        const bool exact = !compare.empty();
        const Token first = cursor_.peek();
        if (cursor_.peek().sign("{")) {
            WEIR_PARSE_CHECK(list());
            if (!exact && match_.values.size() == 1) {
                const std::string flags = join(match_.values[0].first.lo, ",", Style::kNames);
                return refuse(first, "a list of one is ambiguous: write `tcp flags " + flags +
                                         "` (any of) or `tcp flags == " + flags + "` (exactly)");
            }
            return finish();
        }
        WEIR_PARSE_CHECK(value(Commas::kJoin));
        if (cursor_.take_sign("/")) {
            WEIR_PARSE_CHECK(mask(Commas::kJoin));
        } else if (!exact) {
            WEIR_PARSE_CHECK(any_of(first));
        }
        return finish();
    }

private:
    // "==", "!=" or "" where none is written.
    Parsed<std::string_view> comparison() {
        const Token at = cursor_.peek();
        const std::string_view compare = take_comparison(cursor_);
        if (!compare.empty() && compare != "==" && compare != "!=") {
            return refuse(at, quoted(at.text) + ": tcp flags is compared with == or !=");
        }
        return compare;
    }

    Parsed<bool> mask(Commas commas) {
        const Token first = cursor_.peek();
        WEIR_PARSE(const std::uint64_t mask, parse_value(cursor_, commas));
        if (mask == 0) {
            return refuse(first, "mask 0 leaves no flag to compare");
        }
        match_.mask = mask;
        return true;
    }

    Parsed<bool> value(Commas commas) {
        value_at_ = cursor_.peek();
        WEIR_PARSE(const std::uint64_t value, parse_value(cursor_, commas));
        match_.values.push_back({{0, value}, {0, value}});
        return true;
    }

    Parsed<bool> list() {
        cursor_.take();
        if (cursor_.peek().sign("}")) {
            return refuse(cursor_.peek(), "the list is empty: " + std::string(kExpected));
        }
        while (!cursor_.take_sign("}")) {
            WEIR_PARSE_CHECK(value(Commas::kSeparate));
            if (!cursor_.take_sign(",") && !cursor_.peek().sign("}")) {
                return refuse(cursor_.peek(), cursor_.describe() + ": expected ',', '|' or '}'");
            }
        }
        return true;
    }

    // `tcp flags syn,ack`: (flags & value) != 0
    Parsed<bool> any_of(const Token& first) {
        match_.mask = match_.values[0].first.lo;
        if (match_.mask == 0) {
            return refuse(first, "'" + std::string(first.text) +
                                     "': write `tcp flags == 0x0` for a packet without flags");
        }
        match_.values = {{}};
        match_.negated = true;
        return true;
    }

    Parsed<Match> finish() {
        auto& values = match_.values;
        for (const Interval& value : values) {
            const std::uint64_t outside = value.first.lo & ~match_.mask.value_or(kAllFlags);
            if (outside != 0) {
                return refuse(value_at_, join(outside, ",", Style::kNames) +
                                             " is not in the mask " +
                                             join(*match_.mask, ",", Style::kNames) +
                                             ": this can never be equal");
            }
        }
        std::sort(values.begin(), values.end());
        values.erase(std::unique(values.begin(), values.end()), values.end());
        match_.braces = values.size() > 1;
        if (match_.mask == kAllFlags) {
            match_.mask.reset();
        }
        return match_;
    }

    Cursor& cursor_;
    Match match_;
    Token value_at_;
};

} // namespace

Parsed<Match> parse_flags(Cursor& cursor) {
    return FlagsParser(cursor).run();
}

std::string print_flags(const Match& match, Style style) {
    const std::string compare = match.negated ? "!= " : "== ";
    if (match.braces) {
        std::string list;
        for (const Interval& value : match.values) {
            list += (list.empty() ? "" : ", ") + join(value.first.lo, " | ", style);
        }
        const std::uint64_t mask = match.mask.value_or(0);
        const bool one_bit = (mask & (mask - 1)) == 0;
        const std::string flags = join(mask, " | ", style);
        const std::string before = !match.mask ? (match.negated ? compare : "")
                                   : one_bit   ? "& " + flags + " " + compare
                                               : "& (" + flags + ") " + compare;
        return before + "{ " + list + " }";
    }
    const std::uint64_t value = match.values.front().first.lo;
    if (!match.mask) {
        const bool one_bit = value != 0 && (value & (value - 1)) == 0;
        return compare + (one_bit ? join(value, ",", style) : hex(value));
    }
    const std::string mask = join(*match.mask, ",", style);
    if (value == 0) {
        return (match.negated ? "" : "! ") + mask;
    }
    if (value == *match.mask && (value & (value - 1)) == 0) {
        return "& " + mask + " " + compare + mask;
    }
    return (match.negated ? compare : "") + join(value, ",", style) + " / " + mask;
}

} // namespace weir::text
