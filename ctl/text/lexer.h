#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "text/rule_text.h"

namespace weir::text {

struct Token {
    enum class Kind {
        kWord,
        kString, // "…"; `text` is what stands between the quotes
        kSign,   // { } ( ) , | & / ; ! = == != < > <= >=
        kEnd,
    };
    Kind kind = Kind::kEnd;
    std::string_view text;
    std::size_t begin = 0; // octets of the source, quotes included
    std::size_t end = 0;
    Place place;

    bool word() const { return kind == Kind::kWord; }
    bool word(std::string_view wanted) const { return word() && text == wanted; }
    bool sign(std::string_view wanted) const { return kind == Kind::kSign && text == wanted; }
};

// Words, strings and signs of `source`, which must outlive them; the last is kEnd.
// Refuses an unterminated string, control characters and what is not UTF-8.
Parsed<std::vector<Token>> tokenize(std::string_view source);

tl::unexpected<TextError> refuse(const Token& at, std::string message);
std::string quoted(std::string_view word);

// Reads tokens one after the other.
class Cursor {
public:
    Cursor(std::string_view source, std::vector<Token> tokens)
        : source_(source), tokens_(std::move(tokens)) {}

    const Token& peek() const { return tokens_[at_]; }
    bool at_end() const { return peek().kind == Token::Kind::kEnd; }
    // The last token, kEnd, is never passed.
    const Token& take() {
        const Token& token = tokens_[at_];
        at_ += at_end() ? 0 : 1;
        return token;
    }
    bool take_sign(std::string_view sign) {
        const bool there = peek().sign(sign);
        at_ += there ? 1 : 0;
        return there;
    }
    // What was written from `first` to the token before the next one.
    std::string_view since(const Token& first) const {
        return source_.substr(first.begin, tokens_[at_ - 1].end - first.begin);
    }
    // The next token as a message names it: "'tpc'", or "the end of the rule".
    std::string describe() const;

private:
    std::string_view source_;
    std::vector<Token> tokens_;
    std::size_t at_ = 0;
};

} // namespace weir::text

// As WEIR_TRY, for Parsed.
#define WEIR_PARSE(variable, expression)                                                           \
    auto WEIR_CONCAT(parsed_, __LINE__) = (expression);                                            \
    if (!WEIR_CONCAT(parsed_, __LINE__)) {                                                         \
        return ::tl::unexpected(std::move(WEIR_CONCAT(parsed_, __LINE__)).error());                \
    }                                                                                              \
    variable = *std::move(WEIR_CONCAT(parsed_, __LINE__))
#define WEIR_PARSE_CHECK(expression)                                                               \
    do {                                                                                           \
        if (auto parsed_ = (expression); !parsed_) {                                               \
            return ::tl::unexpected(std::move(parsed_).error());                                   \
        }                                                                                          \
    } while (false)
