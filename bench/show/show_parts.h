#pragma once

#include <string>
#include <vector>

#include "bench/document.h"

// What chapters of several kinds are made of.
namespace weir::bench {

using Cases = std::vector<Json>;

std::string name_of(const Json& each);

// What has no figure, and why.
struct Refusal {
    std::string name;
    std::string why;
    bool operator==(const Refusal&) const = default;
};
std::vector<Refusal> refusals_of(const Cases& cases);
// Below a table: one item for each reason. Empty where nothing was refused.
std::string refusal_list(const std::vector<Refusal>& refusals);

} // namespace weir::bench
