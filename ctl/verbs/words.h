#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "verbs/verb.h"

namespace weir::verbs {

using Words = std::vector<std::string>;

// Refuses words where the verb takes none, or more than `most`.
Result<> at_most(const Words& words, std::size_t most);
// Refuses a line that lacks the operand number `index`, called `name` ("DEV").
Result<std::string> operand(const Words& words, std::size_t index, std::string_view name);

// A decimal number; refused with its name and its bounds otherwise.
Result<std::uint64_t> parse_number(std::string_view word, std::string_view name,
                                   std::uint64_t least, std::uint64_t most);
// The index of `word` in `known`; refused with what is known, and the nearest of it, otherwise.
Result<std::size_t> parse_choice(std::string_view word, std::string_view name,
                                 const std::vector<std::string_view>& known);

// The value of an option, "" where it is not given.
std::string option_text(const po::variables_map& options, const char* name);

std::string join(const std::vector<std::string>& words, std::string_view between);

// A file's whole text; "-" is the standard input.
Result<std::string> read_file(const std::string& path);

} // namespace weir::verbs
