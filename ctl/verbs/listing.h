#pragma once

#include <optional>
#include <string>

#include "maps/firewall.h"
#include "model/config.h"
#include "output/output.h"

namespace weir::verbs {

// How rules, sets and services are named wherever a verb prints them.

// The rule as nft lists it, with its counts where they are given: "tcp dport 22 counter packets 3
// bytes 180 drop comment "…"". Without: as it was written.
std::string rule_line(const model::Rule& rule, const std::optional<rule_count>& hits);
output::Json rule_json(const model::Rule& rule, const std::optional<rule_count>& hits);

// One set as nft lists it.
std::string set_block(const model::Set& set);
output::Json set_json(const model::Set& set);

output::Json service_json(const model::Service& service);
output::Json balancer_json(const model::Balancer& balancer);
// Everything that the YAML form says, in the same words.
output::Json config_json(const model::Config& config);

std::string_view verdict_word(model::Verdict verdict); // "accept", "drop"

} // namespace weir::verbs
