#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/result.h"
#include "kernel/node.h"
#include "maps/generation.h"

namespace weir::kernel {

// Which generations there are, and where the next one goes.
struct Slots {
    std::vector<generation> records;
    std::optional<std::uint32_t> live;
    std::optional<std::uint32_t> previous; // the largest number below the live one's
    std::uint32_t build = 0;
    std::uint64_t next_number = 1;

    const generation* live_record() const { return live ? &records[*live] : nullptr; }
};
Result<Slots> survey(const Node& node);

} // namespace weir::kernel
