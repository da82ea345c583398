#include "trace/expression.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <optional>

namespace weir::trace {
namespace {

using text::Parsed;
using text::Place;

struct Token {
    enum class Kind { kEnd, kName, kNumber, kText, kPrefix, kSign };
    Kind kind = Kind::kEnd;
    std::string_view text;
    std::size_t begin = 0, end = 0;
    std::uint64_t number = 0;
    Prefix prefix = {};
    Place place() const { return {1, static_cast<int>(begin) + 1}; }
};

tl::unexpected<text::TextError> refuse(const Token& at, std::string message) {
    return tl::unexpected(text::TextError{at.place(), std::move(message)});
}

bool is_name(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

// --- tokens -------------------------------------------------------------------------------------

// Longest first.
constexpr std::array<std::string_view, 27> kSigns = {
    "<<", ">>", "<=", ">=", "==", "!=", "&&", "||", "->", "+", "-", "*", "/", "&",
    "|",  "^",  "~",  "!",  "<",  ">",  "(",  ")",  "[",  "]", ".", ",", "="};

// An address or prefix: digits, letters, dots and colons, of which the whole must be one.
std::optional<Token> take_prefix(std::string_view source, std::size_t begin) {
    std::size_t end = begin;
    const auto belongs = [&](char c) {
        return std::isxdigit(static_cast<unsigned char>(c)) != 0 || c == '.' || c == ':';
    };
    while (end < source.size() && belongs(source[end])) {
        end++;
    }
    const std::string_view address = source.substr(begin, end - begin);
    const auto dots = std::count(address.begin(), address.end(), '.');
    const auto colons = std::count(address.begin(), address.end(), ':');
    if ((dots != 3 && colons < 2) || !IpAddr::parse(address)) {
        return std::nullopt;
    }
    if (end < source.size() && source[end] == '/') {
        std::size_t length = end + 1;
        while (length < source.size() &&
               std::isdigit(static_cast<unsigned char>(source[length])) != 0) {
            length++;
        }
        end = length > end + 1 ? length : end;
    }
    const auto prefix = Prefix::parse(source.substr(begin, end - begin));
    if (!prefix) {
        return std::nullopt;
    }
    Token token{Token::Kind::kPrefix, source.substr(begin, end - begin), begin, end};
    token.prefix = *prefix;
    return token;
}

Parsed<Token> take_number(std::string_view source, std::size_t begin) {
    std::size_t end = begin;
    while (end < source.size() && is_name(source[end])) {
        end++;
    }
    Token token{Token::Kind::kNumber, source.substr(begin, end - begin), begin, end};
    const bool hex = token.text.starts_with("0x");
    const std::string_view digits = token.text.substr(hex ? 2 : 0);
    const auto [last, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), token.number, hex ? 16 : 10);
    if (error != std::errc{} || last != digits.data() + digits.size()) {
        return refuse(token, fmt::format("'{}' is no number: expected decimal digits, 0x and "
                                         "hexadecimal ones, an address or a prefix",
                                         token.text));
    }
    return token;
}

Parsed<Token> take_text(std::string_view source, std::size_t begin) {
    const std::size_t quote = source.find('"', begin + 1);
    Token token{Token::Kind::kText, {}, begin, source.size()};
    if (quote == std::string_view::npos) {
        return refuse(token, "the text that begins here has no end: expected another \"");
    }
    token.text = source.substr(begin + 1, quote - begin - 1);
    token.end = quote + 1;
    return token;
}

Parsed<Token> take_token(std::string_view source, std::size_t begin) {
    const char c = source[begin];
    if (std::isxdigit(static_cast<unsigned char>(c)) != 0 || c == ':') {
        if (const auto prefix = take_prefix(source, begin)) {
            return *prefix;
        }
    }
    if (std::isdigit(static_cast<unsigned char>(c)) != 0) {
        return take_number(source, begin);
    }
    if (c == '"') {
        return take_text(source, begin);
    }
    if (is_name(c)) {
        std::size_t end = begin;
        while (end < source.size() && is_name(source[end])) {
            end++;
        }
        return Token{Token::Kind::kName, source.substr(begin, end - begin), begin, end};
    }
    for (const std::string_view sign : kSigns) {
        if (source.substr(begin).starts_with(sign)) {
            return Token{Token::Kind::kSign, sign, begin, begin + sign.size()};
        }
    }
    Token unknown{Token::Kind::kSign, source.substr(begin, 1), begin, begin + 1};
    return refuse(unknown, fmt::format("'{}' has no meaning here", unknown.text));
}

Parsed<std::vector<Token>> tokenize(std::string_view source) {
    std::vector<Token> tokens;
    std::size_t at = 0;
    while (true) {
        at = std::min(source.find_first_not_of(" \t\n", at), source.size());
        if (at == source.size()) {
            tokens.push_back({Token::Kind::kEnd, {}, at, at});
            return tokens;
        }
        auto token = take_token(source, at);
        if (!token) {
            return tl::unexpected(std::move(token).error());
        }
        at = token->end;
        tokens.push_back(*token);
    }
}

// --- grammar ------------------------------------------------------------------------------------

// Operators of one level bind alike, and tighter than those of the levels before.
const std::vector<std::vector<std::string_view>>& levels() {
    static const std::vector<std::vector<std::string_view>> all = {
        {"||"},       {"&&"},     {"|"},     {"^"}, {"&"}, {"==", "!="}, {"<", "<=", ">", ">="},
        {"<<", ">>"}, {"+", "-"}, {"*", "/"}};
    return all;
}

class Parser {
public:
    Parser(std::string_view source, std::vector<Token> tokens)
        : source_(source), tokens_(std::move(tokens)) {}

    Parsed<Expression> expression() { return binary(0); }
    const Token& peek() const { return tokens_[at_]; }
    bool at_end() const { return peek().kind == Token::Kind::kEnd; }
    bool take_sign(std::string_view sign) {
        const bool there = peek().kind == Token::Kind::kSign && peek().text == sign;
        at_ += there ? 1 : 0;
        return there;
    }
    // A name with a bracket behind it, which is not taken.
    bool take_function(std::string_view name) {
        const bool there = peek().kind == Token::Kind::kName && peek().text == name &&
                           tokens_[at_ + 1].text == "(";
        at_ += there ? 1 : 0;
        return there;
    }
    std::string_view since(std::size_t begin) const {
        return source_.substr(begin, tokens_[at_ - 1].end - begin);
    }
    tl::unexpected<text::TextError> unexpected(std::string_view wanted) const {
        const std::string found = at_end() ? "the end" : fmt::format("'{}'", since_this());
        return refuse(peek(), fmt::format("{}: expected {}", found, wanted));
    }

private:
    // Deeper ones are no one's.
    static constexpr int kDeepest = 64;

    std::string_view since_this() const {
        return source_.substr(peek().begin, peek().end - peek().begin);
    }
    Parsed<Expression> binary(std::size_t level);
    Parsed<Expression> unary();
    Parsed<Expression> cast();
    Parsed<Expression> postfix();
    Parsed<Expression> primary();
    Parsed<Expression> member(Expression of);

    std::string_view source_;
    std::vector<Token> tokens_;
    std::size_t at_ = 0;
    int depth_ = 0;
};

Parsed<Expression> Parser::binary(std::size_t level) {
    if (level == levels().size()) {
        return unary();
    }
    auto left = binary(level + 1);
    while (left) {
        const Token sign = peek();
        const auto& signs = levels()[level];
        if (sign.kind != Token::Kind::kSign ||
            std::find(signs.begin(), signs.end(), sign.text) == signs.end()) {
            return left;
        }
        at_++;
        auto right = binary(level + 1);
        if (!right) {
            return right;
        }
        left = Expression{.kind = Expression::Kind::kBinary,
                          .text = std::string(sign.text),
                          .children = {*std::move(left), *std::move(right)},
                          .place = sign.place()};
    }
    return left;
}

// "(struct tcp_sock *)sk"
Parsed<Expression> Parser::cast() {
    const Token begin = peek();
    at_ += 2;
    const Token name = peek();
    if (name.kind != Token::Kind::kName) {
        return unexpected("the name of a structure");
    }
    at_++;
    if (!take_sign("*") || !take_sign(")")) {
        return unexpected("'*)': a pointer is made one to a structure");
    }
    if (++depth_ > kDeepest) {
        return refuse(begin, "too many signs and brackets inside one another");
    }
    auto operand = unary();
    depth_--;
    if (!operand) {
        return operand;
    }
    return Expression{.kind = Expression::Kind::kCast,
                      .text = std::string(name.text),
                      .children = {*std::move(operand)},
                      .place = begin.place()};
}

Parsed<Expression> Parser::unary() {
    const Token sign = peek();
    if (sign.text == "(" && tokens_[at_ + 1].text == "struct") {
        return cast();
    }
    for (const std::string_view known : {"!", "-", "*", "~", "str"}) {
        if (known == "str" ? !take_function(known) : !take_sign(known)) {
            continue;
        }
        if (++depth_ > kDeepest) {
            return refuse(sign, "too many signs and brackets inside one another");
        }
        auto operand = known == "str" ? primary() : unary(); // what stands in its brackets
        depth_--;
        if (!operand) {
            return operand;
        }
        return Expression{.kind = Expression::Kind::kUnary,
                          .text = std::string(known),
                          .children = {*std::move(operand)},
                          .place = sign.place()};
    }
    return postfix();
}

Parsed<Expression> Parser::member(Expression of) {
    if (peek().kind != Token::Kind::kName) {
        return unexpected("the name of a member");
    }
    const Token name = peek();
    at_++;
    return Expression{.kind = Expression::Kind::kMember,
                      .text = std::string(name.text),
                      .children = {std::move(of)},
                      .place = name.place()};
}

Parsed<Expression> Parser::postfix() {
    auto value = primary();
    while (value) {
        const Token sign = peek();
        if (take_sign("->") || take_sign(".")) {
            value = member(*std::move(value));
        } else if (take_sign("[")) {
            auto index = expression();
            if (!index) {
                return index;
            }
            if (!take_sign("]")) {
                return unexpected("']'");
            }
            value = Expression{.kind = Expression::Kind::kIndex,
                               .children = {*std::move(value), *std::move(index)},
                               .place = sign.place()};
        } else {
            return value;
        }
    }
    return value;
}

Parsed<Expression> Parser::primary() {
    const Token token = peek();
    Expression value{.text = std::string(token.text),
                     .number = token.number,
                     .prefix = token.prefix,
                     .place = token.place()};
    switch (token.kind) {
    case Token::Kind::kName:
        value.kind = Expression::Kind::kName;
        break;
    case Token::Kind::kNumber:
        value.kind = Expression::Kind::kNumber;
        break;
    case Token::Kind::kText:
        value.kind = Expression::Kind::kText;
        break;
    case Token::Kind::kPrefix:
        value.kind = Expression::Kind::kPrefix;
        break;
    default: {
        if (!take_sign("(")) {
            return unexpected("a value");
        }
        if (++depth_ > kDeepest) {
            return refuse(token, "too many signs and brackets inside one another");
        }
        auto inner = expression();
        depth_--;
        if (inner && !take_sign(")")) {
            return unexpected("')'");
        }
        return inner;
    }
    }
    at_++;
    return value;
}

} // namespace

Parsed<Expression> parse_expression(std::string_view source) {
    auto tokens = tokenize(source);
    if (!tokens) {
        return tl::unexpected(std::move(tokens).error());
    }
    Parser parser(source, *std::move(tokens));
    auto expression = parser.expression();
    if (expression && !parser.at_end()) {
        return parser.unexpected("an operator, or nothing more");
    }
    return expression;
}

Parsed<std::vector<NamedExpression>> parse_list(std::string_view source) {
    auto tokens = tokenize(source);
    if (!tokens) {
        return tl::unexpected(std::move(tokens).error());
    }
    Parser parser(source, *std::move(tokens));
    std::vector<NamedExpression> list;
    do {
        const std::size_t begin = parser.peek().begin;
        auto expression = parser.expression();
        if (!expression) {
            return tl::unexpected(std::move(expression).error());
        }
        list.push_back({std::string(parser.since(begin)), *std::move(expression)});
    } while (parser.take_sign(","));
    if (!parser.at_end()) {
        return parser.unexpected("an operator, ',' or nothing more");
    }
    return list;
}

} // namespace weir::trace
