#include <algorithm>
#include <optional>

#include "text/rule_match.h"
#include "text/rule_value.h"

namespace weir::text {
namespace {

using model::Field;
using model::Match;
using model::Rule;
using model::Verdict;

constexpr std::size_t kCommentMax = 128; // octets; NFTNL_UDATA_COMMENT_MAXLEN
constexpr std::string_view kStatements[] = {"counter", "accept", "drop", "comment"};

// Words of nft that are not in the subset, and what does the same here.
struct Missing {
    std::string_view word;
    std::string_view mend;
};
constexpr Missing kMissing[] = {
    {"meta protocol", "write `ether type`"},
    {"meta nfproto", "write `ether type ip` or `ether type ip6`"},
    {"meta iif", "write `iifname`"},
    {"meta oif", "write `oifname`"},
    {"iif", "write `iifname`"},
    {"oif", "write `oifname`"},
    {"ip6 nexthdr", "write `meta l4proto`"},
    {"th", "write `tcp dport` or `udp dport`, a rule each"},
    {"ct", "rules see packets, not connections"},
    {"reject", "write `drop`"},
    {"log", "write `counter`, and see `weir fw list`"},
    {"limit", "rules have no state"},
    {"jump", "there is one chain for each direction"},
    {"goto", "there is one chain for each direction"},
    {"return", "write `accept` or `drop`"},
    {"continue", "leave the verdict out and write `counter`"},
    {"dnat", "see `weir lb service add`"},
    {"snat", "addresses are not translated"},
    {"masquerade", "addresses are not translated"},
};

std::optional<std::string> missing(std::string_view words) {
    for (const Missing& row : kMissing) {
        if (row.word == words) {
            return quoted(words) + " is not among Weir's rules: " + std::string(row.mend);
        }
    }
    return std::nullopt;
}

// "tcp" of "tcp dport".
std::string_view head(std::string_view keyword) {
    return keyword.substr(0, keyword.find(' '));
}

std::vector<std::string_view> first_words() {
    std::vector<std::string_view> words;
    for (const model::FieldInfo& field : model::all_fields()) {
        if (words.empty() || words.back() != head(field.keyword)) {
            words.push_back(head(field.keyword));
        }
    }
    words.insert(words.end(), std::begin(kStatements), std::end(kStatements));
    return words;
}

std::vector<std::string_view> fields_of(std::string_view first_word) {
    std::vector<std::string_view> keywords;
    for (const model::FieldInfo& field : model::all_fields()) {
        if (head(field.keyword) == first_word) {
            keywords.push_back(field.keyword);
        }
    }
    return keywords;
}

std::string suggestion(std::string_view word, const std::vector<std::string_view>& known) {
    const std::string near = did_you_mean(word, known);
    return near.empty() ? "" : "; did you mean " + quoted(near) + "?";
}

// "ip saddr, ip daddr or ip dscp"
std::string one_of(const std::vector<std::string_view>& words) {
    std::string text;
    for (std::size_t i = 0; i < words.size(); i++) {
        text += i == 0 ? "" : i + 1 == words.size() ? " or " : ", ";
        text += words[i];
    }
    return text;
}

// What earlier matches have said about a packet's headers: no packet is IPv4 and IPv6, or TCP and
// UDP. nft refuses the same.
class Headers {
public:
    Parsed<bool> add(const Token& at, const Match& match) {
        const model::FieldInfo& field = model::info(match.field);
        WEIR_PARSE_CHECK(narrow(ether_type_, field.needs.ether_type, at, field.keyword));
        WEIR_PARSE_CHECK(narrow(transport_, field.needs.transport, at, field.keyword));
        const bool one = !match.negated && match.values.size() == 1 &&
                         match.values[0].first == match.values[0].last;
        const bool proto = field.type == model::ValueType::kProto;
        if (one && (proto || match.field == Field::kEtherType)) {
            Known& known = proto ? transport_ : ether_type_;
            const auto value = static_cast<std::uint16_t>(match.values[0].first.lo);
            const std::string words = std::string(field.keyword) + " " +
                                      print_interval(field.type, match.values[0], Style::kNames);
            return narrow(known, value, at, words);
        }
        return true;
    }

private:
    struct Known {
        std::uint16_t value = 0; // 0: nothing yet
        std::string by;
    };
    static Parsed<bool> narrow(Known& known, std::uint16_t value, const Token& at,
                               std::string_view by) {
        if (value == 0) {
            return true;
        }
        if (known.value != 0 && known.value != value) {
            return refuse(at, quoted(by) + " after " + quoted(known.by) + ": no packet has both");
        }
        if (known.value == 0) {
            known = {value, std::string(by)};
        }
        return true;
    }

    Known ether_type_;
    Known transport_;
};

class RuleParser {
public:
    RuleParser(Cursor cursor, std::vector<Warning>& warnings)
        : cursor_(std::move(cursor)), warnings_(warnings) {}

    Parsed<Rule> run() {
        while (!cursor_.at_end()) {
            WEIR_PARSE_CHECK(statement());
        }
        if (!rule_.verdict && !rule_.counter) {
            return refuse(cursor_.peek(), "a rule needs accept, drop or counter");
        }
        return std::move(rule_);
    }

private:
    Parsed<bool> statement() {
        const Token first = cursor_.peek();
        if (commented_) {
            return refuse(first,
                          cursor_.describe() + " after the comment: the comment stands last");
        }
        if (first.word("comment")) {
            return comment();
        }
        if (rule_.verdict) {
            return refuse(first, cursor_.describe() + " after the verdict " + quoted(verdict_) +
                                     ": the verdict stands last, only a comment may follow");
        }
        if (first.word("accept") || first.word("drop")) {
            verdict_ = cursor_.take().text;
            rule_.verdict = first.word("accept") ? Verdict::kAccept : Verdict::kDrop;
            return true;
        }
        if (first.word("counter")) {
            return counter();
        }
        WEIR_PARSE(const Field field, this->field());
        if (rule_.counter) {
            return refuse(first, quoted(model::info(field).keyword) +
                                     " after 'counter': a counter counts packets that match the "
                                     "whole rule; write it behind the last match");
        }
        WEIR_PARSE(Match match, parse_match(cursor_, field, warnings_));
        WEIR_PARSE_CHECK(headers_.add(first, match));
        rule_.matches.push_back(std::move(match));
        return true;
    }

    Parsed<bool> counter() {
        const Token first = cursor_.take();
        if (rule_.counter) {
            return refuse(first, "'counter' stands twice: write it once");
        }
        const Token& next = cursor_.peek();
        if (next.word("packets") || next.word("bytes")) {
            return refuse(next, "'counter " + std::string(next.text) +
                                    "': counters start at zero; write `counter` alone "
                                    "(`nft -s list ruleset` prints it so)");
        }
        rule_.counter = true;
        return true;
    }

    Parsed<bool> comment() {
        cursor_.take();
        const Token& text = cursor_.peek();
        if (!text.word() && text.kind != Token::Kind::kString) {
            return refuse(text, cursor_.describe() + ": expected the text, comment \"…\"");
        }
        if (text.text.empty()) {
            return refuse(text, "the comment is empty: leave it out");
        }
        if (text.text.size() > kCommentMax) {
            return refuse(text, "the comment has " + std::to_string(text.text.size()) +
                                    " octets: at most " + std::to_string(kCommentMax) + " fit");
        }
        cursor_.take();
        rule_.comment = text.text;
        commented_ = true;
        return true;
    }

    Parsed<Field> field() {
        const Token first = cursor_.peek();
        if (!first.word()) {
            return unknown(first);
        }
        cursor_.take();
        if (const auto field = model::find_field(first.text)) {
            return *field;
        }
        const auto known = fields_of(first.text);
        if (known.empty()) {
            return unknown(first);
        }
        const Token second = cursor_.peek();
        if (!second.word()) {
            return refuse(second, cursor_.describe() + " after " + quoted(first.text) +
                                      ": expected " + one_of(known));
        }
        cursor_.take();
        const std::string keyword = std::string(first.text) + " " + std::string(second.text);
        if (first.word("meta") && (second.word("iifname") || second.word("oifname"))) {
            return *model::find_field(second.text);
        }
        if (const auto field = model::find_field(keyword)) {
            return *field;
        }
        if (const auto message = missing(keyword)) {
            return refuse(first, *message);
        }
        return refuse(second, "unknown field " + quoted(keyword) + ": expected " + one_of(known) +
                                  suggestion(keyword, known));
    }

    tl::unexpected<TextError> unknown(const Token& token) const {
        if (const auto message = missing(token.text)) {
            return refuse(token, *message);
        }
        if (token.sign(",")) {
            return refuse(token, "',': several values stand in braces, { A, B }");
        }
        const std::string word = token.word() ? quoted(token.text) : cursor_.describe();
        return refuse(token, "unknown word " + word +
                                 ": expected a field (ip saddr, tcp dport, …), counter, accept, "
                                 "drop or comment" +
                                 suggestion(token.text, first_words()));
    }

    Cursor cursor_;
    std::vector<Warning>& warnings_;
    Rule rule_;
    Headers headers_;
    std::string_view verdict_;
    bool commented_ = false;
};

} // namespace

Parsed<Rule> parse_rule(std::string_view text, std::vector<Warning>& warnings) {
    WEIR_PARSE(std::vector<Token> tokens, tokenize(text));
    return RuleParser(Cursor(text, std::move(tokens)), warnings).run();
}

} // namespace weir::text
