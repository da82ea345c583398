#pragma once

#include <vector>

#include "model/rule.h"
#include "text/lexer.h"

namespace weir::text {

// What stands behind a field's keyword: mask, operator, values or set.
Parsed<model::Match> parse_match(Cursor& cursor, model::Field field,
                                 std::vector<Warning>& warnings);

} // namespace weir::text
