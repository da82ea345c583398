#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "model/field.h"

namespace weir::text {

struct NamedValue {
    std::string_view name;
    std::uint64_t value;
};

// The names of a type's values, as `nft describe` lists them. Where several names have one value,
// the first is printed. Empty for types without names.
std::span<const NamedValue> names(model::ValueType type);
std::optional<std::uint64_t> find_value(model::ValueType type, std::string_view name);
// "" where the value has no name.
std::string_view find_name(model::ValueType type, std::uint64_t value);
std::vector<std::string_view> all_names(model::ValueType type);

} // namespace weir::text
