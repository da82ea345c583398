#include "text/rule_value.h"

namespace weir::text {
namespace {

using model::SetType;
using model::ValueType;

ValueForm element_form(SetType type) {
    const std::string_view owner = model::name(type);
    switch (type) {
    case SetType::kIpv4Addr:
        return {owner, ValueType::kIpv4, {0, 0xffffffff}};
    case SetType::kIpv6Addr:
        return {owner, ValueType::kIpv6, {~0ULL, ~0ULL}};
    case SetType::kInetService:
        break;
    }
    return {owner, ValueType::kPort, {0, 0xffff}};
}

} // namespace

Parsed<model::Interval> parse_element(SetType type, std::string_view text,
                                      std::vector<Warning>& warnings) {
    WEIR_PARSE(std::vector<Token> tokens, tokenize(text));
    Cursor cursor(text, std::move(tokens));
    if (cursor.at_end()) {
        return refuse(cursor.peek(), "the element is empty");
    }
    WEIR_PARSE(const model::Interval element, parse_interval(cursor, element_form(type), warnings));
    if (!cursor.at_end()) {
        return refuse(cursor.peek(), cursor.describe() + " after the element: expected one value, "
                                                         "range or prefix");
    }
    return element;
}

std::string print_element(SetType type, const model::Interval& element) {
    return print_interval(element_form(type).type, element, Style::kNumeric);
}

} // namespace weir::text
