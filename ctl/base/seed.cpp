#include "base/seed.h"

#include <charconv>
#include <fmt/format.h>

namespace weir {

std::string Seed::to_string() const {
    return fmt::format("{:016x}", number);
}

Result<Seed> Seed::parse(std::string_view text) {
    constexpr std::size_t kDigits = 16;
    Seed seed;
    const auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), seed.number, 16);
    if (text.size() != kDigits || error != std::errc{} || end != text.data() + text.size()) {
        return fail("seed '" + std::string(text) + "': expected 16 hexadecimal digits");
    }
    return seed;
}

} // namespace weir
