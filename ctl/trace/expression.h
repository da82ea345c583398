#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "text/rule_text.h"

// What a user writes of values: --args 'skb->len, skb->dev->name', --where 'pid == 7 && len > 100'.
namespace weir::trace {

// A part of an expression, with the words and precedences of C. Addresses and prefixes stand for
// themselves: saddr == 10.0.0.0/8.
struct Expression {
    enum class Kind {
        kNumber, // number
        kText,   // "text"
        kPrefix, // prefix
        kName,   // text: an argument, a field of a tracepoint, `pid`, an enumerator
        kMember, // children[0]->text, children[0].text
        kIndex,  // children[0][children[1]]
        kUnary,  // text: ! - * ~ str
        kBinary, // text: + == && …
        kCast,   // (struct text *)children[0]
    };
    Kind kind = Kind::kNumber;
    std::string text = {};
    std::uint64_t number = 0;
    Prefix prefix = {};
    std::vector<Expression> children = {};
    text::Place place = {};
};

// One expression, and nothing behind it.
text::Parsed<Expression> parse_expression(std::string_view source);
// Several with commas between them. Each is named by its own words.
struct NamedExpression {
    std::string name; // "skb->dev->name"
    Expression expression;
};
text::Parsed<std::vector<NamedExpression>> parse_list(std::string_view source);

} // namespace weir::trace
