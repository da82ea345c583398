#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "trace/names.h"
#include "trace/scope.h"

// Events and keys of totals, for people and for programs.
namespace weir::trace {

using Json = nlohmann::ordered_json;

// The numbers and texts that fields refer to.
struct Values {
    const __u64* numbers;
    const trace_text* texts;
};
Values values_of(const trace_event& event);
Values values_of(const trace_key& key);

// The same with what is no UTF-8 replaced: texts come from anywhere, and are shown in JSON too.
std::string valid_text(std::string text);
// On one line; a stack as its innermost functions.
std::string value_text(const Field& field, const Values& values, const Names& names);
Json value_json(const Field& field, const Values& values, const Names& names);
// A function a line, the innermost first.
std::vector<std::string> stack_lines(std::int64_t id, const Names& names);
std::vector<std::string> user_stack_lines(std::int64_t id, int pid, const Names& names);
// Of a field that is a stack.
std::vector<std::string> stack_lines(const Field& field, const Values& values, const Names& names);
bool is_stack(const Field& field);

} // namespace weir::trace
