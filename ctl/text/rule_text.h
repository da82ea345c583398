#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/rule.h"
#include "model/set.h"

namespace weir::text {

// Where a word stands in what the user gave; 1-based.
struct Place {
    int line = 1;
    int column = 1;
};

// A refusal of a piece of text: where, which word, what was expected. Printed as
// "FILE:LINE:COLUMN: unknown word 'tpc': expected tcp, udp, …; did you mean 'tcp'?".
struct TextError {
    Place place;
    std::string message; // names the word and the mend
};
// With `source` "" the line and column are left out ("column 5: …" for a command line).
Error to_error(const TextError& error, std::string_view source);

// What was accepted, but not as written: "10.0.0.1/8 has host bits set: taken as 10.0.0.0/8".
struct Warning {
    Place place;
    std::string message;
};

template <typename T>
using Parsed = tl::expected<T, TextError>;

// Parses one rule in nft's syntax; see docs/reference/rules.md for the subset.
Parsed<model::Rule> parse_rule(std::string_view text, std::vector<Warning>& warnings);
// How values that have names are printed.
enum class Style {
    kNames,   // tcp, echo-request, ef: as `nft -s list ruleset`
    kNumeric, // 6, 8, 0x2e: as `nft -n -s list ruleset`
};
// The canonical form, as nft would print it; ports are numbers in both styles. What parse_rule()
// made is found again: parse_rule(print(r)).same(r).
std::string print(const model::Rule& rule, Style style = Style::kNames);

// One element of a named set: "10.0.0.0/8", "10.0.0.1-10.0.0.9", "80", "8000-8080".
Parsed<model::Interval> parse_element(model::SetType type, std::string_view text,
                                      std::vector<Warning>& warnings);
std::string print_element(model::SetType type, const model::Interval& element);

// The word of `known` closest to `word`, or "" if none is near.
std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& known);

} // namespace weir::text
