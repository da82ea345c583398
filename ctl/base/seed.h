#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace weir {

// What hashes are made with: 64 bits, written as 16 hexadecimal digits.
struct Seed {
    std::uint64_t number = 0;

    std::string to_string() const;
    static Result<Seed> parse(std::string_view text);
    bool operator==(const Seed&) const = default;
};

} // namespace weir
