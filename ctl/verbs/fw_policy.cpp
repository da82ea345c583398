#include <fmt/format.h>

#include "verbs/all.h"
#include "verbs/change.h"
#include "verbs/listing.h"
#include "verbs/words.h"

namespace weir::verbs {
namespace {

using model::ChainName;
using model::Verdict;

std::vector<std::string_view> subjects() {
    std::vector<std::string_view> names = {"ingress", "egress"};
    for (int c = 0; c < CLASS_COUNT; c++) {
        names.push_back(model::name(static_cast<packet_class>(c)));
    }
    return names;
}

Result<> show_policies(Context& cx) {
    WEIR_TRY(const auto session, open_session(cx, kernel::Lock::Mode::kShared));
    WEIR_TRY(const auto config, live_config(session.node));
    output::Table table({{"what"}, {"policy"}});
    output::Json chains = output::Json::object();
    output::Json packets = output::Json::object();
    for (const ChainName chain : {ChainName::kIngress, ChainName::kEgress}) {
        const std::string name(model::name(chain));
        const std::string policy(verdict_word(config.chain(chain).policy));
        table.row({"chain " + name, policy});
        chains[name] = policy;
    }
    for (int c = 0; c < CLASS_COUNT; c++) {
        const std::string name(model::name(static_cast<packet_class>(c)));
        const std::string action(model::name(config.class_actions[static_cast<std::size_t>(c)]));
        table.row({"packets " + name, action});
        packets[name] = action;
    }
    cx.out.text(table.to_string());
    cx.out.document({{"chains", chains}, {"packets", packets}});
    return {};
}

Result<Verdict> parse_policy(const std::string& word) {
    WEIR_TRY(const auto choice, parse_choice(word, "policy", {"accept", "drop"}));
    return choice == 0 ? Verdict::kAccept : Verdict::kDrop;
}

Result<> set_chain(Context& cx, ChainName chain, const std::string& word) {
    WEIR_TRY(const auto policy, parse_policy(word));
    WEIR_TRY(const auto changed, change(cx, [&](model::Config& config) -> Result<> {
                 config.chain(chain).policy = policy;
                 return {};
             }));
    report(cx, changed, fmt::format("policy of chain {} is {}", model::name(chain), word));
    return {};
}

Result<> set_class(Context& cx, packet_class packets, const std::string& word) {
    WEIR_CHECK(parse_choice(word, "policy", {"accept", "drop", "filter"}));
    const auto action = model::find_action(word).value();
    WEIR_TRY(const auto changed, change(cx, [&](model::Config& config) -> Result<> {
                 config.class_actions[packets] = action;
                 return {};
             }));
    report(cx, changed, fmt::format("policy of packets {} is {}", model::name(packets), word));
    return {};
}

Result<> run_fw_policy(const po::variables_map&, const Words& words, Context& cx) {
    WEIR_CHECK(at_most(words, 2));
    if (words.empty()) {
        return show_policies(cx);
    }
    const bool of_ingress = words.size() == 1 && (words[0] == "accept" || words[0] == "drop");
    if (of_ingress) {
        return set_chain(cx, ChainName::kIngress, words[0]);
    }
    WEIR_TRY(const auto subject, parse_choice(words[0], "chain or packet class", subjects()));
    WEIR_TRY(const auto policy, operand(words, 1, "the policy"));
    if (subject < 2) {
        return set_chain(cx, subject == 0 ? ChainName::kIngress : ChainName::kEgress, policy);
    }
    return set_class(cx, static_cast<packet_class>(subject - 2), policy);
}

} // namespace

const Verb fw_policy{
    .path = "fw policy",
    .operands = "[[ingress|egress] accept|drop | CLASS accept|drop|filter]",
    .summary = "set or show what happens to packets that no rule matches, and to odd packets",
    .details = R"(Without words, shows all policies. CLASS is a class of odd but legal packets: arp,
neighbour-discovery, ipv4-options, ipv6-extensions, routing-header, fragment; with `filter` the
rules decide on it.

  weir fw policy ingress drop
  weir fw policy ipv4-options drop
)",
    .run = run_fw_policy};

} // namespace weir::verbs
