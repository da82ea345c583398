#include <fmt/format.h>

#include <array>

#include "text/lexer.h"
#include "trace/lowering.h"

namespace weir::trace {
namespace {

using text::Parsed;
using Kind = Expression::Kind;
using Where = Value::Where;

// Of operators whose operands are numbers. `swapped`: a > b is b < a; `negated`: a <= b is !(b <
// a).
struct Operator {
    std::string_view sign;
    trace_operation operation;
    bool swapped = false;
    bool negated = false;
};
constexpr std::array kArithmetic = {
    Operator{"+", TRACE_ADD},         Operator{"-", TRACE_SUBTRACT},
    Operator{"*", TRACE_MULTIPLY},    Operator{"/", TRACE_DIVIDE},
    Operator{"&", TRACE_AND},         Operator{"|", TRACE_OR},
    Operator{"^", TRACE_XOR},         Operator{"<<", TRACE_SHIFT_LEFT},
    Operator{">>", TRACE_SHIFT_RIGHT}};
constexpr std::array kOrder = {Operator{"<", TRACE_LESS}, Operator{">", TRACE_LESS, true},
                               Operator{"<=", TRACE_LESS, true, true},
                               Operator{">=", TRACE_LESS, false, true}};

template <typename Table>
const Operator* find_operator(const Table& table, std::string_view sign) {
    for (const Operator& each : table) {
        if (each.sign == sign) {
            return &each;
        }
    }
    return nullptr;
}

bool is_address(const Value& value) {
    return value.where == Where::kSource || value.where == Where::kDestination;
}

bool is_equality(const Expression& expression) {
    return expression.text == "==" || expression.text == "!=";
}

} // namespace

Parsed<Value> Lowering::unary(const Expression& expression) {
    const Expression& of = expression.children.front();
    if (expression.text == "*") {
        WEIR_PARSE(const Value pointer, number(of));
        Value value{.where = Where::kMemory, .user = pointer.user};
        if (pointer.type.kind == kernel::BtfType::Kind::kPointer) {
            value.type = scope_.types->type(pointer.type.target);
        } else if (pointer.shape == Shape::kHexadecimal) { // nobody knows its type: 64 bits there
            value.type.kind = kernel::BtfType::Kind::kInteger;
            value.type.size = kWord;
        } else {
            return refuse(expression, "'*': what follows is no pointer");
        }
        return value;
    }
    if (expression.text == "str") {
        WEIR_PARSE(const Value pointer, number(of));
        return Value{.where = Where::kMemory, .user = pointer.user, .span = TRACE_STRING_SIZE};
    }
    if (expression.text == "-") {
        step(TRACE_CONSTANT);
    }
    WEIR_PARSE_CHECK(number(of));
    if (expression.text == "!") {
        step(TRACE_NOT);
        return Value{.shape = Shape::kBool};
    }
    if (expression.text == "-") {
        step(TRACE_SUBTRACT);
        return Value{.shape = Shape::kSigned};
    }
    step(TRACE_CONSTANT, 0, -1);
    step(TRACE_XOR);
    return Value{};
}

Parsed<Value> Lowering::binary(const Expression& expression) {
    const Expression& left = expression.children[0];
    const Expression& right = expression.children[1];
    if (is_equality(expression)) {
        return compare(expression);
    }
    if (expression.text == "&&" || expression.text == "||") {
        // Both sides are computed: what cannot be read is 0, and harmless. a && b is !(!a | !b).
        const bool both = expression.text == "&&";
        for (const Expression* side : {&left, &right}) {
            WEIR_PARSE_CHECK(number(*side));
            step(TRACE_NOT);
            if (!both) {
                step(TRACE_NOT);
            }
        }
        step(TRACE_OR);
        if (both) {
            step(TRACE_NOT);
        }
        return Value{.shape = Shape::kBool};
    }
    const Operator* order = find_operator(kOrder, expression.text);
    const bool swapped = order != nullptr && order->swapped;
    WEIR_PARSE(const Value first, number(swapped ? right : left));
    WEIR_PARSE(const Value second, number(swapped ? left : right));
    const bool with_sign = first.shape == Shape::kSigned || second.shape == Shape::kSigned;
    if (order != nullptr) {
        step(with_sign ? TRACE_LESS_SIGNED : TRACE_LESS);
        if (order->negated) {
            step(TRACE_NOT);
        }
        return Value{.shape = Shape::kBool};
    }
    step(find_operator(kArithmetic, expression.text)->operation);
    return Value{.shape = with_sign ? Shape::kSigned : Shape::kUnsigned};
}

Parsed<Value> Lowering::cast(const Expression& expression) {
    WEIR_PARSE(Value value, number(expression.children.front()));
    const auto id =
        scope_.types == nullptr ? std::nullopt : scope_.types->structure(expression.text);
    if (!id) {
        return refuse(expression,
                      fmt::format("the kernel's types name no struct {}", expression.text));
    }
    value.type = {};
    value.type.kind = kernel::BtfType::Kind::kPointer;
    value.type.size = kWord;
    value.type.target = *id;
    value.shape = Shape::kHexadecimal;
    return value;
}

Parsed<Value> Lowering::compare(const Expression& expression) {
    const Expression& left = expression.children[0];
    const Expression& right = expression.children[1];
    WEIR_PARSE(Value value, lower(left));
    if (right.kind == Kind::kText) {
        return same_text(expression, value, right.text);
    }
    if (is_address(value)) {
        if (right.kind != Kind::kPrefix) {
            return refuse(
                right, fmt::format("expected an address or a prefix behind '{}'", expression.text));
        }
        return in_prefix(expression, value, right.prefix);
    }
    if (value.where == Where::kMemory) {
        WEIR_PARSE(value, load(value, left));
    }
    if (value.where != Where::kStack) {
        return refuse(left, "a constant stands on the right");
    }
    std::optional<std::int64_t> constant;
    if (right.kind == Kind::kName && value.shape == Shape::kEnum) {
        constant = enumerator(value, right.text);
    }
    if (constant) {
        step(TRACE_CONSTANT, 0, *constant);
    } else {
        WEIR_PARSE_CHECK(number(right));
    }
    step(TRACE_EQUAL);
    if (expression.text == "!=") {
        step(TRACE_NOT);
    }
    return Value{.shape = Shape::kBool};
}

// In full, or its end: NO_SOCKET for SKB_DROP_REASON_NO_SOCKET.
std::optional<std::int64_t> Lowering::enumerator(const Value& value, const std::string& name) {
    for (const auto& [its, number] : names_of(value)) {
        if (its == name || its.ends_with("_" + name)) {
            return number;
        }
    }
    return std::nullopt;
}

Parsed<Value> Lowering::same_text(const Expression& expression, const Value& left,
                                  const std::string& text) {
    constexpr std::uint16_t kScratch = TRACE_STRINGS - 1; // tests come before what is fetched
    constexpr std::size_t kWords = 64;
    const Expression& of = expression.children.front();
    if (text.size() >= TRACE_STRING_SIZE) {
        return refuse(
            expression.children[1],
            fmt::format("longer than {} octets: texts are cut there", TRACE_STRING_SIZE - 1));
    }
    Value value = left;
    if (!is_text(value) && value.type.kind == kernel::BtfType::Kind::kPointer &&
        scope_.types != nullptr && scope_.types->type(value.type.target).name == "net_device") {
        WEIR_PARSE(
            value,
            lower(Expression{
                .kind = Kind::kMember, .text = "name", .children = {of}, .place = of.place}));
    }
    if (!is_text(value)) {
        return refuse(of, "this is no text: it cannot be compared with one");
    }
    take_text(value, kScratch);
    auto& words = builder_.words_;
    auto at = std::find(words.begin(), words.end(), text);
    if (at == words.end()) {
        if (words.size() == kWords) {
            return refuse(expression, fmt::format("more than {} texts to compare with", kWords));
        }
        at = words.insert(words.end(), text);
    }
    step(TRACE_SAME_STRING, kScratch, at - words.begin());
    if (expression.text == "!=") {
        step(TRACE_NOT);
    }
    return Value{.shape = Shape::kBool};
}

// IPv4 as IPv6: ::ffff:0:0/96.
Parsed<Value> Lowering::in_prefix(const Expression& expression, const Value& address,
                                  const Prefix& prefix) {
    const bool source = address.where == Where::kSource;
    const bool ipv4 = prefix.address().family() == Family::kIpv4;
    U128 wanted = prefix.first();
    wanted.lo |= ipv4 ? 0xffff'0000'0000ULL : 0;
    const int length = prefix.length() + (ipv4 ? 96 : 0);
    const auto mask = [](int bits) {
        return bits <= 0 ? 0 : bits >= 64 ? ~0ULL : ~0ULL << (64 - bits);
    };
    const auto half = [&](trace_context which, std::uint64_t bits, std::uint64_t value) {
        step(TRACE_CONTEXT, static_cast<std::uint16_t>(which));
        step(TRACE_CONSTANT, 0, static_cast<std::int64_t>(bits));
        step(TRACE_AND);
        step(TRACE_CONSTANT, 0, static_cast<std::int64_t>(value));
        step(TRACE_EQUAL);
    };
    half(source ? CONTEXT_SADDR_HIGH : CONTEXT_DADDR_HIGH, mask(length), wanted.hi);
    half(source ? CONTEXT_SADDR_LOW : CONTEXT_DADDR_LOW, mask(length - 64), wanted.lo);
    step(TRACE_AND);
    if (expression.text == "!=") {
        step(TRACE_NOT);
    }
    return Value{.shape = Shape::kBool};
}

} // namespace weir::trace
