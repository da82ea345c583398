#pragma once

#include "presets/preset.h"

// What presets of TCP have in common.
namespace weir::presets {

// "ESTABLISHED": enum of include/net/tcp_states.h, part of the kernel's ABI.
std::string tcp_state(std::uint64_t number);

std::uint64_t number(const Cell& cell);

// SADDR SPORT DADDR DPORT
std::vector<View::Column> flow_columns();

// Steps at what sends a segment again, and at what sends a reset. Their values: saddr, sport,
// daddr, dport of what is sent.
std::vector<trace::StepWords> sent_again();
Result<std::vector<trace::StepWords>> sent_resets();

} // namespace weir::presets
