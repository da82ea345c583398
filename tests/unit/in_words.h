#pragma once

#include <gtest/gtest.h>
#include <string>
#include <utility>
#include <vector>

#include "model/config.h"
#include "text/config_text.h"
#include "text/rule_text.h"

// Values of the model, as a user would write them.
namespace weir::test {

inline model::Rule rule(const std::string& words) {
    std::vector<text::Warning> warnings;
    auto parsed = text::parse_rule(words, warnings);
    if (!parsed) {
        ADD_FAILURE() << parsed.error().message;
        return {};
    }
    return *std::move(parsed);
}

inline model::Service service(const std::string& key, const std::vector<std::string>& backends) {
    model::Service service;
    service.key = *model::ServiceKey::parse(key);
    for (const std::string& address : backends) {
        service.backends.push_back({*IpAddr::parse(address), 1, 0, model::kNoSlot});
    }
    return service;
}

inline model::Config config_of(const std::string& yaml) {
    std::vector<text::Warning> warnings;
    auto parsed = text::parse_config(yaml, "w.yaml", warnings);
    if (!parsed) {
        ADD_FAILURE() << parsed.error().message();
        return {};
    }
    return *std::move(parsed);
}

} // namespace weir::test
