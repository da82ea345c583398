#include "text/lexer.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <utility>

namespace weir::text {
namespace {

constexpr std::string_view kSigns = "{}(),|&/;!=<>";

bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
bool is_continuation(char c) {
    return (static_cast<std::uint8_t>(c) & 0xc0) == 0x80;
}
bool in_word(char c) {
    return !is_space(c) && c != '"' && kSigns.find(c) == std::string_view::npos;
}

// Octets of the UTF-8 character that `text` begins with; 0 if it is none (RFC 3629, 4).
std::size_t character_size(std::string_view text) {
    const auto octet = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
    const std::uint8_t lead = octet(0);
    if (lead < 0x80) {
        return 1;
    }
    const std::size_t size = lead < 0xc2   ? 0
                             : lead < 0xe0 ? 2
                             : lead < 0xf0 ? 3
                             : lead < 0xf5 ? 4
                                           : 0;
    if (size == 0 || size > text.size() ||
        !std::all_of(text.begin() + 1, text.begin() + size, is_continuation)) {
        return 0;
    }
    const bool overlong = (lead == 0xe0 && octet(1) < 0xa0) || (lead == 0xf0 && octet(1) < 0x90);
    const bool surrogate = lead == 0xed && octet(1) > 0x9f;
    const bool beyond = lead == 0xf4 && octet(1) > 0x8f;
    return overlong || surrogate || beyond ? 0 : size;
}

class Lexer {
public:
    explicit Lexer(std::string_view source) : source_(source) {}

    Parsed<std::vector<Token>> run() {
        WEIR_PARSE_CHECK(check_characters());
        std::vector<Token> tokens;
        while (true) {
            while (at_ < source_.size() && is_space(source_[at_])) {
                advance(1);
            }
            WEIR_PARSE(const Token token, next());
            tokens.push_back(token);
            if (token.kind == Token::Kind::kEnd) {
                return tokens;
            }
        }
    }

private:
    Parsed<Token> next() {
        if (at_ == source_.size()) {
            return Token{Token::Kind::kEnd, {}, at_, at_, place_};
        }
        if (source_[at_] == '"') {
            return string();
        }
        const std::size_t sign = sign_size();
        if (sign > 0) {
            return cut(Token::Kind::kSign, sign);
        }
        const auto* const begin = source_.begin() + at_;
        const auto* const end = std::find_if_not(begin, source_.end(), in_word);
        return cut(Token::Kind::kWord, end - begin);
    }

    Token cut(Token::Kind kind, std::size_t size) {
        const Token token{kind, source_.substr(at_, size), at_, at_ + size, place_};
        advance(size);
        return token;
    }

    std::size_t sign_size() const {
        const std::string_view pair = source_.substr(at_, 2);
        if (pair == "==" || pair == "!=" || pair == "<=" || pair == ">=") {
            return 2;
        }
        return kSigns.find(source_[at_]) == std::string_view::npos ? 0 : 1;
    }

    Parsed<Token> string() {
        const std::size_t close = source_.find_first_of("\"\n", at_ + 1);
        if (close == std::string_view::npos || source_[close] == '\n') {
            return tl::unexpected(TextError{place_, "the string is not closed: expected \" before "
                                                    "the end of the line"});
        }
        Token token = cut(Token::Kind::kString, close + 1 - at_);
        token.text = token.text.substr(1, token.text.size() - 2);
        return token;
    }

    void advance(std::size_t octets) {
        for (; octets > 0; octets--, at_++) {
            if (source_[at_] == '\n') {
                place_ = {place_.line + 1, 1};
            } else if (!is_continuation(source_[at_])) {
                place_.column++;
            }
        }
    }

    Parsed<bool> check_characters() {
        while (at_ < source_.size()) {
            const char c = source_[at_];
            const std::size_t size = character_size(source_.substr(at_));
            const bool control = (static_cast<std::uint8_t>(c) < 0x20 && !is_space(c)) || c == 0x7f;
            if (size == 0 || control) {
                char octet[5];
                std::snprintf(octet, sizeof octet, "0x%02x", static_cast<std::uint8_t>(c));
                return tl::unexpected(
                    TextError{place_, std::string("octet ") + octet +
                                          (size == 0 ? " is not UTF-8 text"
                                                     : " is a control character: take it out")});
            }
            advance(size);
        }
        at_ = 0;
        place_ = {};
        return true;
    }

    std::string_view source_;
    std::size_t at_ = 0;
    Place place_;
};

} // namespace

Parsed<std::vector<Token>> tokenize(std::string_view source) {
    return Lexer(source).run();
}

tl::unexpected<TextError> refuse(const Token& at, std::string message) {
    return tl::unexpected(TextError{at.place, std::move(message)});
}

std::string quoted(std::string_view word) {
    return "'" + std::string(word) + "'";
}

std::string Cursor::describe() const {
    if (at_end()) {
        return "the end of the rule";
    }
    return quoted(source_.substr(peek().begin, peek().end - peek().begin));
}

} // namespace weir::text
