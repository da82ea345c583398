// Any octets as a rule: refused with a place and words, or taken; and what is taken survives being
// printed and parsed again, in both styles, without a warning.
#include <string_view>

#include "promise.h"
#include "text/rule_text.h"

using namespace weir;

namespace {

void round_trip(const model::Rule& rule, text::Style style) {
    const std::string printed = text::print(rule, style);
    std::vector<text::Warning> warnings;
    const auto again = text::parse_rule(printed, warnings);
    promise(again.has_value(), "what is printed is a rule",
            printed + "\n" + (again ? "" : again.error().message));
    promise(again->same(rule), "what is printed says the same", printed);
    promise(warnings.empty(), "what is printed is canonical",
            printed + "\n" + (warnings.empty() ? "" : warnings[0].message));
    promise(text::print(*again, style) == printed, "printing twice prints the same", printed);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view given(reinterpret_cast<const char*>(data), size);
    std::vector<text::Warning> warnings;
    const auto rule = text::parse_rule(given, warnings);
    if (!rule) {
        const text::TextError& error = rule.error();
        promise(error.place.line >= 1 && error.place.column >= 1 && !error.message.empty(),
                "a refusal has a place and words", std::string(given));
        return 0;
    }
    promise(rule->verdict || rule->counter, "a rule does something", std::string(given));
    round_trip(*rule, text::Style::kNames);
    round_trip(*rule, text::Style::kNumeric);
    return 0;
}
