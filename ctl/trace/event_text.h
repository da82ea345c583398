#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "kernel/symbols.h"
#include "kernel/tracer.h"
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

// Addresses and stacks need names.
struct Names {
    const kernel::Symbols& symbols;
    const kernel::Tracer& tracer;
};

// On one line; a stack as its innermost functions.
std::string value_text(const Field& field, const Values& values, const Names& names);
Json value_json(const Field& field, const Values& values, const Names& names);
// A function a line, the innermost first.
std::vector<std::string> stack_lines(std::int64_t id, bool user, const Names& names);

} // namespace weir::trace
