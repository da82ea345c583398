#include <fmt/format.h>

#include "verbs/all.h"
#include "verbs/listing.h"
#include "verbs/rule_words.h"
#include "verbs/state.h"

namespace weir::verbs {
namespace {

using model::ChainName;
using output::Json;

struct Listing {
    std::string text;
    Json chains = Json::array();
};

Result<> list_chain(const kernel::Node& node, const model::Config& config, ChainName name,
                    const po::variables_map& options, Listing& listing) {
    const model::Chain& chain = config.chain(name);
    std::string lines;
    Json rules = Json::array();
    for (const model::Rule& rule : chain.rules) {
        WEIR_TRY(const auto hits, node.rule_hits(rule.slot));
        if (options.count("nonzero") > 0 && hits.packets == 0) {
            continue;
        }
        const auto shown = options.count("stateless") > 0 ? std::nullopt : std::optional(hits);
        lines += fmt::format("\t{} # handle {}\n", rule_line(rule, shown), rule.handle);
        rules.push_back(rule_json(rule, hits));
    }
    listing.text += fmt::format("chain {} {{\n\tpolicy {};\n{}}}\n", model::name(name),
                                verdict_word(chain.policy), lines);
    listing.chains.push_back(
        {{"chain", model::name(name)}, {"policy", verdict_word(chain.policy)}, {"rules", rules}});
    return {};
}

Result<> run_fw_list(const po::variables_map& options, const Words& words, Context& cx) {
    WEIR_TRY(const auto place, parse_place(words));
    WEIR_CHECK(at_most(place.rest, 0));
    WEIR_TRY(const auto session, open_session(cx, kernel::Lock::Mode::kShared));
    WEIR_TRY(const auto config, live_config(session.node));
    Listing listing;
    for (const ChainName chain : {ChainName::kIngress, ChainName::kEgress}) {
        if (!place.chain || *place.chain == chain) {
            WEIR_CHECK(list_chain(session.node, config, chain, options, listing));
        }
    }
    cx.out.text(listing.text);
    cx.out.document({{"chains", listing.chains}});
    return {};
}

void add_fw_list_options(po::options_description& add) {
    add.add_options()("nonzero", "only rules that have matched a packet")(
        "stateless", "without counters, as the rules were written");
}

} // namespace

const Verb fw_list{.path = "fw list",
                   .operands = "[ingress|egress]",
                   .summary = "list rules with handles, packets and octets",
                   .details =
                       R"(As `nft -a list ruleset` prints them. Every rule counts, also one that was
written without the word `counter`.

  weir fw list ingress --nonzero
)",
                   .options = add_fw_list_options,
                   .run = run_fw_list};

} // namespace weir::verbs
