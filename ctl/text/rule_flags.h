#pragma once

#include <string>

#include "model/rule.h"
#include "text/lexer.h"

namespace weir::text {

// What stands behind `tcp flags`: nft's grammar of bit masks, which has forms of its own.
//   syn,ack   any of          == syn   exactly          syn / syn,ack   of those, exactly
//   ! syn     none of         & (syn | ack) == syn      { syn, syn | ack }   one of these, exactly
Parsed<model::Match> parse_flags(Cursor& cursor);
std::string print_flags(const model::Match& match, Style style);

} // namespace weir::text
