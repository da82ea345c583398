#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/field.h"
#include "model/rule.h"
#include "text/lexer.h"
#include "text/rule_text.h"

namespace weir::text {

// What values are read or written as.
struct ValueForm {
    std::string_view owner; // of whom messages speak: "tcp dport", "ipv4_addr"
    model::ValueType type{};
    U128 maximum;

    bool ranges() const {
        return type != model::ValueType::kIfname && type != model::ValueType::kTcpFlags;
    }
};
ValueForm form_of(const model::FieldInfo& field);

// "==", "!=", "<", ">", "<=" or ">=", also where nft's words eq, ne, … are written; "" if none is.
std::string_view take_comparison(Cursor& cursor);
// Refuses `@name` and `=` where only values can stand.
Parsed<bool> check_operand(const Token& token, std::string_view owner);

// One value, range or prefix. Not for TCP flags: see rule_flags.h.
Parsed<model::Interval> parse_interval(Cursor& cursor, const ValueForm& form,
                                       std::vector<Warning>& warnings);
// One value alone, of a field of at most 64 bits.
Parsed<std::uint64_t> parse_single(Cursor& cursor, const ValueForm& form,
                                   std::vector<Warning>& warnings);

// "22", "0x1f".
struct Number {
    std::uint64_t value = 0;
    bool overflow = false; // of 64 bits
};
std::optional<Number> parse_number(std::string_view word);

// As nft prints it; prefixes as prefixes.
std::string print_interval(model::ValueType type, const model::Interval& interval, Style style);

} // namespace weir::text
