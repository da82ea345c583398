#include "text/rule_match.h"

#include <algorithm>

#include "text/rule_flags.h"
#include "text/rule_value.h"

namespace weir::text {
namespace {

using model::Interval;
using model::Match;
using model::ValueType;

bool is_set_name(std::string_view name) {
    const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    return !name.empty() && letter(name[0]) && std::all_of(name.begin(), name.end(), [&](char c) {
        return letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
    });
}

// Names are compared as prefixes: of two that touch, only a contained one can go.
std::vector<Interval> without_contained(std::vector<Interval> names) {
    std::vector<Interval> result;
    for (const Interval& name : names) {
        const bool contained = std::any_of(names.begin(), names.end(), [&](const Interval& other) {
            return other != name && other.first <= name.first && name.last <= other.last;
        });
        if (!contained) {
            result.push_back(name);
        }
    }
    return result;
}

// As nft stores a list: sorted, without duplicates; joined if there is a range among the values.
std::vector<Interval> canonical(std::vector<Interval> values, ValueType type) {
    std::sort(values.begin(), values.end());
    values.erase(std::unique(values.begin(), values.end()), values.end());
    if (type == ValueType::kIfname) {
        return without_contained(std::move(values));
    }
    const bool ranges = std::any_of(values.begin(), values.end(),
                                    [](const Interval& i) { return i.first != i.last; });
    return ranges ? model::merged(std::move(values)) : values;
}

class MatchParser {
public:
    MatchParser(Cursor& cursor, const model::FieldInfo& field, std::vector<Warning>& warnings)
        : cursor_(cursor), field_(field), form_(form_of(field)), warnings_(warnings) {
        match_.field = field.field;
    }

    Parsed<Match> run() {
        if (cursor_.peek().sign("&")) {
            WEIR_PARSE_CHECK(mask());
        }
        const Token at = cursor_.peek();
        compare_ = take_comparison(cursor_);
        match_.negated = compare_ == "!=";
        const bool relational = !compare_.empty() && compare_ != "==" && compare_ != "!=";
        if (relational && (!form_.ranges() || match_.mask)) {
            return refuse(at, quoted(at.text) + ": " + std::string(field_.keyword) +
                                  (match_.mask ? " with a mask" : "") +
                                  " is compared with == or !=");
        }
        if (relational) {
            WEIR_PARSE_CHECK(relation());
        } else if (cursor_.peek().word() && cursor_.peek().text.starts_with('@')) {
            WEIR_PARSE_CHECK(set());
        } else if (cursor_.peek().sign("{")) {
            WEIR_PARSE_CHECK(list());
        } else {
            WEIR_PARSE_CHECK(value());
        }
        match_.values = canonical(std::move(match_.values), field_.type);
        match_.braces = match_.values.size() > 1;
        if (match_.mask == field_.maximum) {
            match_.mask.reset();
        }
        return match_;
    }

private:
    Parsed<bool> mask() {
        const Token at = cursor_.take();
        if (field_.type != ValueType::kNumber) {
            return refuse(at, "'&': " + std::string(field_.keyword) +
                                  " takes no mask; write a prefix or a range");
        }
        const Token first = cursor_.peek();
        WEIR_PARSE(const std::uint64_t mask, parse_single(cursor_, form_, warnings_));
        if (mask == 0) {
            return refuse(first, "mask 0 leaves no bit to compare");
        }
        match_.mask = mask;
        return true;
    }

    Parsed<bool> value() {
        const Token first = cursor_.peek();
        WEIR_PARSE(const Interval value, parse_interval(cursor_, form_, warnings_));
        if (match_.mask && value.first != value.last) {
            return refuse(first, quoted(cursor_.since(first)) +
                                     ": behind a mask stand single values, not ranges");
        }
        if (match_.mask && (value.first.lo & ~*match_.mask) != 0) {
            return refuse(first, quoted(first.text) + " has bits outside of the mask " +
                                     std::to_string(*match_.mask) + ": this can never be equal");
        }
        const bool tagged = field_.type == ValueType::kEtherType && value.first == value.last &&
                            (value.first.lo == 0x8100 || value.first.lo == 0x88a8);
        if (tagged) {
            return refuse(first, quoted(first.text) + ": ether type is the one behind VLAN tags; "
                                                      "write `vlan id 0-4095` for any tag");
        }
        match_.values.push_back(value);
        return true;
    }

    Parsed<bool> list() {
        cursor_.take();
        if (cursor_.peek().sign("}")) {
            return refuse(cursor_.peek(), "the list is empty: " + std::string(field_.keyword) +
                                              " needs a value, as in { A, B-C }");
        }
        while (!cursor_.take_sign("}")) {
            WEIR_PARSE_CHECK(value());
            if (!cursor_.take_sign(",") && !cursor_.peek().sign("}")) {
                return refuse(cursor_.peek(), cursor_.describe() + ": expected ',' or '}'");
            }
        }
        return true;
    }

    Parsed<bool> set() {
        const Token& token = cursor_.peek();
        if (field_.set_fact < 0 || match_.mask) {
            WEIR_PARSE_CHECK(check_operand(token, field_.keyword));
        }
        cursor_.take();
        match_.set = token.text.substr(1);
        if (!is_set_name(match_.set)) {
            return refuse(token, quoted(token.text) + ": a set's name begins with a letter, and "
                                                      "has letters, digits, '_', '-' and '.'");
        }
        return true;
    }

    // `< 1024` is the range 0-1023.
    Parsed<bool> relation() {
        const Token first = cursor_.peek();
        WEIR_PARSE(const Interval bound, parse_interval(cursor_, form_, warnings_));
        const std::string written(cursor_.since(first));
        if (bound.first != bound.last) {
            return refuse(first,
                          quoted(written) + ": " + std::string(compare_) + " takes a single value");
        }
        const U128 value = bound.first;
        if ((compare_ == "<" && value == U128{}) || (compare_ == ">" && value == form_.maximum)) {
            return refuse(first, quoted(written) + ": no value of " + std::string(field_.keyword) +
                                     " is " + (compare_ == "<" ? "less" : "greater"));
        }
        if (compare_ == "<" || compare_ == "<=") {
            match_.values = {{{}, compare_ == "<" ? model::below(value) : value}};
        } else {
            match_.values = {{compare_ == ">" ? model::above(value) : value, form_.maximum}};
        }
        return true;
    }

    Cursor& cursor_;
    const model::FieldInfo& field_;
    ValueForm form_;
    std::vector<Warning>& warnings_;
    std::string_view compare_;
    Match match_;
};

} // namespace

Parsed<Match> parse_match(Cursor& cursor, model::Field field, std::vector<Warning>& warnings) {
    if (field == model::Field::kTcpFlags) {
        return parse_flags(cursor);
    }
    return MatchParser(cursor, model::info(field), warnings).run();
}

} // namespace weir::text
