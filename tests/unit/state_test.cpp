#include <gtest/gtest.h>

#include "text/config_text.h"

namespace weir::text {
namespace {

constexpr const char* kStart =
    "the saved configuration cannot be read (`weir rollback`, or `weir unload`, then load and "
    "apply again): ";

SavedState whole() {
    std::vector<Warning> warnings;
    auto config = parse_config("firewall:\n"
                               "  ingress:\n"
                               "    policy: drop\n"
                               "    rules:\n"
                               "      - ip saddr @s counter drop comment \"ünï\"\n"
                               "      - tcp dport { 22, 80-90 } accept\n"
                               "  egress: {rules: [oifname \"eth*\" tcp flags syn counter]}\n"
                               "  packets: {fragment: drop, arp: filter}\n"
                               "sets:\n"
                               "  s: {type: ipv4_addr, comment: c, elements: [10.0.0.0/8]}\n"
                               "  p: {type: inet_service, elements: [80, 8000-8080]}\n"
                               "lb:\n"
                               "  source: 10.99.0.0/16\n"
                               "  gateway: 02:00:00:00:00:01\n"
                               "  services:\n"
                               "    - vip: 203.0.113.10:any/udp\n"
                               "      forward: l2dsr\n"
                               "      backends: [10.0.2.2, {address: 10.0.2.3, weight: 0}]\n",
                               "w.yaml", warnings);
    if (!config) {
        ADD_FAILURE() << config.error().message();
        return {};
    }
    SavedState state{*std::move(config), {}};
    EXPECT_TRUE(model::assign_identities(state.config, {}, {}, {}, state.ids));
    return state;
}

std::string state_refusal(const std::string& json) {
    const auto state = load_state(json);
    if (state) {
        return "accepted";
    }
    const std::string& message = state.error().message();
    EXPECT_EQ(message.substr(0, std::string(kStart).size()), kStart);
    return message.substr(std::min(message.size(), std::string(kStart).size()));
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

TEST(State, ComesBackAsItWas) {
    const SavedState before = whole();

    const auto after = load_state(save_state(before));

    ASSERT_TRUE(after) << after.error().message();
    EXPECT_TRUE(diff(before.config, after->config).empty());
    EXPECT_EQ(print_config(after->config), print_config(before.config));
    EXPECT_EQ(save_state(*after), save_state(before));
    EXPECT_EQ(after->ids.next_handle, 7U);
    EXPECT_EQ(after->config.ingress.rules[1].handle, 2U);
    EXPECT_EQ(after->config.ingress.rules[1].slot, 1U);
    EXPECT_EQ(after->config.egress.rules[0].handle, 3U);
    EXPECT_EQ(after->config.balancer.services[0].handle, 4U);
    EXPECT_EQ(after->config.balancer.services[0].slot, 0U);
    EXPECT_EQ(after->config.balancer.services[0].backends[1].handle, 6U);
    EXPECT_EQ(after->config.balancer.services[0].backends[1].slot, 1U);
    EXPECT_EQ(after->config.balancer.services[0].backends[1].weight, 0U);
}

TEST(State, OfNothing) {
    EXPECT_EQ(save_state({}),
              R"({"schema":1,"next_handle":1,"ingress":{"policy":"accept","rules":[]},)"
              R"("egress":{"policy":"accept","rules":[]},"packets":{"arp":"accept",)"
              R"("neighbour-discovery":"accept","ipv4-options":"filter",)"
              R"("ipv6-extensions":"filter","routing-header":"drop","fragment":"filter"},)"
              R"("sets":[],"lb":{"source":null,"source6":null,"gateway":null,"seed":null,"idle":900,"services":[]}})");
    const auto state = load_state(save_state({}));
    ASSERT_TRUE(state);
    EXPECT_EQ(print_config(state->config), "{}\n");
}

TEST(State, DamageIsRefusedNotThrown) {
    const std::string good = save_state(whole());
    for (std::size_t length = 0; length < good.size(); length++) {
        EXPECT_NE(state_refusal(good.substr(0, length)), "accepted") << length;
    }
    for (const char* json : {"", "null", "[]", "{}", "7", "\"x\"", "{\"schema\":1}", "\xff",
                             R"({"schema":1,"next_handle":1,"ingress":[],"egress":{}})"}) {
        EXPECT_NE(state_refusal(json), "accepted") << json;
    }
    EXPECT_NE(state_refusal(std::string(1 << 20, '[')), "accepted");
}

TEST(State, RefusalsNameWhatIsWrong) {
    const std::string good = save_state(whole());
    EXPECT_EQ(state_refusal(replaced(good, "\"schema\":1", "\"schema\":2")),
              "it has format 2, this weir reads format 1");
    EXPECT_EQ(state_refusal(replaced(good, "\"next_handle\":7", "\"next_handle\":-7")),
              "next_handle: expected a number from 0 to 4294967295");
    EXPECT_EQ(state_refusal(replaced(good, "\"slot\":1", "\"slot\":4294967296")),
              "slot: expected a number from 0 to 4294967295");
    EXPECT_EQ(state_refusal(replaced(good, "\"weight\":1", "\"weight\":65536")),
              "weight: expected a number from 0 to 65535");
    EXPECT_EQ(state_refusal(replaced(good, "\"policy\":\"drop\"", "\"policy\":\"x\"")),
              "unknown policy 'x'");
    EXPECT_EQ(state_refusal(replaced(good, "\"forward\":\"l2dsr\"", "\"forward\":\"x\"")),
              "unknown word 'x'");
    EXPECT_EQ(state_refusal(replaced(good, "\"source\":\"10.99.0.0/16\"", "\"source\":\"x\"")),
              "'x' is not an IP address: expected 192.0.2.1 or 2001:db8::1");
    EXPECT_NE(
        state_refusal(replaced(good, "tcp dport", "tpc dport")).find("rule `tpc dport { 22, "),
        std::string::npos);
}

TEST(State, ACommentThatIsNotUtf8DoesNotThrow) {
    SavedState state = whole();
    state.config.sets["s"].comment = "\xff";
    EXPECT_TRUE(load_state(save_state(state)));
}

} // namespace
} // namespace weir::text
