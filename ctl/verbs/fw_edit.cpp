// fw add, insert, replace, delete: nft's verbs for single rules.
#include <fmt/format.h>

#include "verbs/all.h"
#include "verbs/change.h"
#include "verbs/rule_words.h"

namespace weir::verbs {
namespace {

using model::ChainName;
using model::Rule;

enum class Side { kBehind, kBefore };

// Where the new rule shall stand in its chain.
Result<Found> spot(const model::Config& config, const Place& place, Side where) {
    if (place.by == Place::By::kNothing) {
        const ChainName chain = chain_or_ingress(place);
        return Found{chain, where == Side::kBehind ? config.chain(chain).rules.size() : 0};
    }
    WEIR_TRY(auto found, find_place(config, place));
    found.index += where == Side::kBehind ? 1 : 0;
    return found;
}

void report_rule(Context& cx, const Changed& changed, const Found& at, std::string_view done) {
    const auto& rules = changed.config.chain(at.chain).rules;
    output::Json extra = output::Json::object();
    model::Handle handle = 0;
    if (at.index < rules.size()) {
        handle = rules[at.index].handle;
        extra = {{"chain", model::name(at.chain)}, {"handle", handle}};
    }
    report(cx, changed,
           fmt::format("rule handle {} {} chain {}", handle, done, model::name(at.chain)), extra);
}

Result<> put(const Words& words, Context& cx, Side where) {
    WEIR_TRY(const auto place, parse_place(words));
    WEIR_TRY(const auto rule, parse_rule_words(place.rest));
    Found at;
    WEIR_TRY(const auto changed, change(cx, [&](model::Config& config) -> Result<> {
                 WEIR_TRY(at, spot(config, place, where));
                 auto& rules = config.chain(at.chain).rules;
                 rules.insert(rules.begin() + static_cast<std::ptrdiff_t>(at.index), rule);
                 return {};
             }));
    report_rule(cx, changed, at, "added to");
    return {};
}

Result<> run_fw_add(const po::variables_map&, const Words& words, Context& cx) {
    return put(words, cx, Side::kBehind);
}

Result<> run_fw_insert(const po::variables_map&, const Words& words, Context& cx) {
    return put(words, cx, Side::kBefore);
}

// The place of a rule that must be there already.
Result<Place> parse_existing(const Words& words) {
    WEIR_TRY(auto place, parse_place(words));
    if (place.by == Place::By::kNothing) {
        return usage("say which rule: handle N (`weir fw list` shows the handles) or index N");
    }
    return place;
}

Result<> run_fw_replace(const po::variables_map&, const Words& words, Context& cx) {
    WEIR_TRY(const auto place, parse_existing(words));
    WEIR_TRY(auto rule, parse_rule_words(place.rest));
    Found at;
    WEIR_TRY(const auto changed, change(cx, [&](model::Config& config) -> Result<> {
                 WEIR_TRY(at, find_place(config, place));
                 Rule& old = config.chain(at.chain).rules[at.index];
                 rule.handle = old.handle;
                 old = rule;
                 return {};
             }));
    report_rule(cx, changed, at, "replaced in");
    return {};
}

Result<> run_fw_delete(const po::variables_map&, const Words& words, Context& cx) {
    WEIR_TRY(const auto place, parse_existing(words));
    WEIR_CHECK(at_most(place.rest, 0));
    Found at;
    model::Handle handle = 0;
    WEIR_TRY(const auto changed, change(cx, [&](model::Config& config) -> Result<> {
                 WEIR_TRY(at, find_place(config, place));
                 auto& rules = config.chain(at.chain).rules;
                 handle = rules[at.index].handle;
                 rules.erase(rules.begin() + static_cast<std::ptrdiff_t>(at.index));
                 return {};
             }));
    report(cx, changed,
           fmt::format("rule handle {} deleted from chain {}", handle, model::name(at.chain)),
           {{"chain", model::name(at.chain)}, {"handle", handle}});
    return {};
}

} // namespace

const Verb fw_add{
    .path = "fw add",
    .operands = "[ingress|egress] [position HANDLE|index N] RULE",
    .summary = "add a rule at the end of a chain, or behind another",
    .details =
        R"(The chain is ingress where none is named. The rule is written as nft has it, as one
quoted argument or as many words.

  weir fw add ip saddr 10.0.0.0/8 tcp dport '{ 22, 80-90 }' drop comment "no shells"
  weir fw add egress 'udp dport 53 counter accept'
  weir fw add ingress position 4 tcp dport 443 accept
)",
    .run = run_fw_add,
    .words = Operands::kRule};

const Verb fw_insert{.path = "fw insert",
                     .operands = "[ingress|egress] [position HANDLE|index N] RULE",
                     .summary = "put a rule at the beginning of a chain, or before another",
                     .details = R"(As `weir fw add`, but before instead of behind.

  weir fw insert ip saddr 192.0.2.7 drop
  weir fw insert position 4 tcp dport 443 accept
)",
                     .run = run_fw_insert,
                     .words = Operands::kRule};

const Verb fw_replace{.path = "fw replace",
                      .operands = "[ingress|egress] handle HANDLE|index N RULE",
                      .summary = "put another rule in the place of one",
                      .details =
                          R"(The new rule has the handle of the old one; its counters begin at zero.

  weir fw replace handle 4 tcp dport 443 drop
)",
                      .run = run_fw_replace,
                      .words = Operands::kRule};

const Verb fw_delete{.path = "fw delete",
                     .operands = "[ingress|egress] handle HANDLE|index N",
                     .summary = "delete one rule",
                     .details = R"(`weir fw list` shows the handles.

  weir fw delete handle 4
)",
                     .run = run_fw_delete};

} // namespace weir::verbs
