#pragma once

#include <cstdint>

namespace weir::presets {

// What @lb traces: what backends on this machine answer from a VIP.
enum class LbAnswer : std::uint64_t { kReset, kSentAgain };
// Its keys.
enum LbKey { kAnswer, kVip, kVipPort, kClient, kClientPort };

} // namespace weir::presets
