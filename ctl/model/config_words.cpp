// Words that a user chooses freely: comments and names of sets.
#include "model/config.h"

namespace weir::model {
namespace {

// As nftables bounds them (NFTNL_UDATA_COMMENT_MAXLEN).
constexpr std::size_t kCommentMax = 128;
constexpr std::size_t kSetNameMax = 64;

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// Length of the UTF-8 sequence at the start of `text`; 0 if there is none (RFC 3629, 4).
std::size_t sequence_length(std::string_view text) {
    const auto octet = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char lead = octet(0);
    if (lead < 0x80) {
        return 1;
    }
    const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || text.size() < length) {
        return 0;
    }
    for (std::size_t i = 1; i < length; i++) {
        if ((octet(i) & 0xc0) != 0x80) {
            return 0;
        }
    }
    // Overlong forms, surrogates and what lies above U+10FFFF.
    const unsigned char second = octet(1);
    const bool refused = (lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f) ||
                         (lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f);
    return refused ? 0 : length;
}

} // namespace

std::size_t utf8_length(std::string_view text) {
    std::size_t at = 0;
    while (at < text.size()) {
        const std::size_t length = sequence_length(text.substr(at));
        if (length == 0) {
            break;
        }
        at += length;
    }
    return at;
}

std::string comment_fault(std::string_view comment) {
    if (utf8_length(comment) != comment.size()) {
        return "the comment is not UTF-8";
    }
    for (const char c : comment) {
        if (c == '"') {
            return "the comment contains '\"', which cannot be written inside quotes";
        }
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
            return "the comment contains a control character";
        }
    }
    if (comment.size() > kCommentMax) {
        return "the comment has " + std::to_string(comment.size()) + " octets: at most " +
               std::to_string(kCommentMax) + " are kept";
    }
    return "";
}

std::string set_name_fault(std::string_view name) {
    bool good = !name.empty() && name.size() <= kSetNameMax && is_letter(name[0]);
    for (const char c : name) {
        good = good && (is_letter(c) || is_digit(c) || c == '_' || c == '-' || c == '.');
    }
    return good ? ""
                : "'" + std::string(name) +
                      "' is no name for a set: expected a letter, then letters, digits, '_', '-' "
                      "or '.', at most " +
                      std::to_string(kSetNameMax);
}

} // namespace weir::model
