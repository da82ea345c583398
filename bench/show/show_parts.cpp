#include "bench/show/show_parts.h"

#include <fmt/format.h>

#include <algorithm>

#include "bench/show/markdown.h"

namespace weir::bench {

std::string name_of(const Json& each) {
    return each.at("name").get<std::string>();
}

std::vector<Refusal> refusals_of(const Cases& cases) {
    std::vector<Refusal> refusals;
    for (const Json& each : cases) {
        if (each.contains("refused")) {
            refusals.push_back({name_of(each), each["refused"].get<std::string>()});
        }
    }
    return refusals;
}

std::string refusal_list(const std::vector<Refusal>& refusals) {
    std::vector<Refusal> reasons; // each once, with all names
    for (const Refusal& each : refusals) {
        const auto known = std::find_if(reasons.begin(), reasons.end(),
                                        [&](const Refusal& one) { return one.why == each.why; });
        if (known == reasons.end()) {
            reasons.push_back(each);
        } else {
            known->name += ", " + each.name;
        }
    }
    std::string list;
    for (const Refusal& each : reasons) {
        list +=
            fmt::format("- Refused, {}: {}\n", markdown::text(each.name), markdown::text(each.why));
    }
    return list.empty() ? "" : "\n" + list;
}

} // namespace weir::bench
