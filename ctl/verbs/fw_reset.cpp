// fw flush and fw reset: all rules of a chain, or all counters.
#include <fmt/format.h>

#include "output/units.h"
#include "verbs/all.h"
#include "verbs/change.h"
#include "verbs/rule_words.h"

namespace weir::verbs {
namespace {

using model::ChainName;

bool wanted(const Place& place, ChainName chain) {
    return !place.chain || *place.chain == chain;
}

Result<> run_fw_flush(const po::variables_map&, const Words& words, Context& cx) {
    WEIR_TRY(const auto place, parse_place(words));
    if (place.by != Place::By::kNothing) {
        return usage("fw flush takes a chain; `weir fw delete` deletes one rule");
    }
    WEIR_CHECK(at_most(place.rest, 0));
    std::size_t count = 0;
    WEIR_TRY(const auto changed, change(cx, [&](model::Config& config) -> Result<> {
                 for (const ChainName chain : {ChainName::kIngress, ChainName::kEgress}) {
                     if (wanted(place, chain)) {
                         count += config.chain(chain).rules.size();
                         config.chain(chain).rules.clear();
                     }
                 }
                 return {};
             }));
    report(cx, changed, output::counted(count, "rule") + " deleted", {{"rules", count}});
    return {};
}

// The rules whose counters are meant: one by its place, those of a chain, or all.
Result<std::vector<model::Rule>> rules_of(const model::Config& config, const Place& place) {
    if (place.by != Place::By::kNothing) {
        WEIR_TRY(const auto at, find_place(config, place));
        return std::vector<model::Rule>{config.chain(at.chain).rules[at.index]};
    }
    std::vector<model::Rule> rules;
    for (const ChainName chain : {ChainName::kIngress, ChainName::kEgress}) {
        if (wanted(place, chain)) {
            const auto& some = config.chain(chain).rules;
            rules.insert(rules.end(), some.begin(), some.end());
        }
    }
    return rules;
}

Result<> run_fw_reset(const po::variables_map&, const Words& words, Context& cx) {
    WEIR_TRY(const auto place, parse_place(words));
    WEIR_CHECK(at_most(place.rest, 0));
    WEIR_TRY(auto session, open_session(cx, kernel::Lock::Mode::kExclusive));
    WEIR_TRY(const auto config, live_config(session.node));
    WEIR_TRY(const auto rules, rules_of(config, place));
    for (const model::Rule& rule : rules) {
        WEIR_CHECK(session.node.reset_rule_hits(rule.slot));
    }
    cx.out.text(fmt::format("counters of {} reset\n", output::counted(rules.size(), "rule")));
    cx.out.document({{"rules", rules.size()}});
    return {};
}

} // namespace

const Verb fw_flush{.path = "fw flush",
                    .operands = "[ingress|egress]",
                    .summary = "delete all rules of a chain, or of both",
                    .details = R"(Policies and sets stay.

  weir fw flush egress
)",
                    .run = run_fw_flush};

const Verb fw_reset{
    .path = "fw reset",
    .operands = "[ingress|egress] [handle HANDLE|index N]",
    .summary = "set the counters of rules to zero",
    .details = R"(Of all rules, of those of one chain, or of one rule. Packets that match while
it runs may be counted before or after.

  weir fw reset ingress
  weir fw reset handle 4
)",
    .run = run_fw_reset};

} // namespace weir::verbs
