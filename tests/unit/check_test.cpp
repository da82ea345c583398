#include <gtest/gtest.h>

#include "in_words.h"
#include "maps/firewall.h"
#include "model/config.h"
#include "text/rule_text.h"

namespace weir::model {
namespace {

using test::rule;
using test::service;

Set ipv4_set(const std::string& name, std::vector<Interval> elements) {
    return {name, SetType::kIpv4Addr, "", std::move(elements)};
}

std::string config_refusal(const Config& config, const Limits& limits = {}) {
    const auto result = check(config, limits);
    return result ? "" : result.error().message();
}

TEST(Names, AreThoseOfTheHeader) {
    EXPECT_EQ(name(CLASS_NEIGHBOUR_DISCOVERY), "neighbour-discovery");
    EXPECT_EQ(name(ACTION_FILTER), "filter");
    EXPECT_EQ(name(ACTION_ACCEPT), "accept");
    EXPECT_EQ(name(ACTION_DROP), "drop");
    EXPECT_EQ(name(REASON_POLICY), "policy");
    EXPECT_EQ(name(REASON_ALREADY_JUDGED), "already-judged");
    EXPECT_EQ(name(VERDICT_PASS), "pass");
    EXPECT_EQ(name(VERDICT_SEND), "send");
    EXPECT_EQ(name(VERDICT_REDIRECT), "redirect");
    EXPECT_EQ(name(VERDICT_DROP), "drop");
    EXPECT_EQ(name(static_cast<reason>(REASON_COUNT)), "unknown");
}

TEST(Names, AreFoundAgain) {
    for (int i = 0; i < CLASS_COUNT; i++) {
        const auto c = static_cast<packet_class>(i);
        EXPECT_EQ(find_class(name(c)), c);
    }
    EXPECT_EQ(find_class("arps"), std::nullopt);
    EXPECT_EQ(find_action("drop"), ACTION_DROP);
    EXPECT_EQ(find_action(""), std::nullopt);
}

TEST(Names, DefaultActionsAreThoseOfTheHeader) {
    const auto actions = default_class_actions();
    EXPECT_EQ(actions[CLASS_ARP], ACTION_ACCEPT);
    EXPECT_EQ(actions[CLASS_NEIGHBOUR_DISCOVERY], ACTION_ACCEPT);
    EXPECT_EQ(actions[CLASS_IPV4_OPTIONS], ACTION_FILTER);
    EXPECT_EQ(actions[CLASS_IPV6_EXTENSIONS], ACTION_FILTER);
    EXPECT_EQ(actions[CLASS_ROUTING_HEADER], ACTION_DROP);
    EXPECT_EQ(actions[CLASS_FRAGMENT], ACTION_FILTER);
}

TEST(Check, AcceptsWhatIsWhole) {
    Config config;
    config.sets["s"] = ipv4_set("s", {{{0, 1}, {0, 9}}});
    config.ingress.rules = {rule("ip saddr @s drop"), rule("iifname eth0 accept")};
    config.egress.rules = {rule("oifname eth0 accept")};
    config.balancer.services = {service("192.0.2.1:80/tcp", {"10.0.0.1", "10.0.0.2"}),
                                service("192.0.2.1:80/udp", {"10.0.0.1"}),
                                service("192.0.2.1:any/tcp", {}),
                                service("[2001:db8::1]:80/tcp", {"fd00::1"})};
    EXPECT_EQ(config_refusal(config), "");
    EXPECT_EQ(config_refusal({}), "");
}

TEST(Check, SetsThatRulesName) {
    Config config;
    config.ingress.rules = {rule("tcp dport 22 accept"), rule("tcp dport @p drop")};
    EXPECT_EQ(config_refusal(config),
              "ingress rule 2: '@p': there is no such set; make it with `weir set create p "
              "inet_service`, or name it under `sets:`");
    config.sets["p"] = ipv4_set("p", {});
    EXPECT_EQ(config_refusal(config),
              "ingress rule 2: '@p' is a set of ipv4_addr: `tcp dport` needs inet_service");

    Match vlan;
    vlan.field = Field::kVlanId;
    vlan.set = "p";
    config.ingress.rules = {rule("accept")};
    config.ingress.rules[0].matches = {vlan};
    EXPECT_EQ(config_refusal(config),
              "ingress rule 1: '@p': `vlan id` cannot be compared with a named set");
}

TEST(Check, InterfaceNamesInTheOtherChain) {
    Config config;
    config.ingress.rules = {rule("oifname eth0 drop")};
    EXPECT_EQ(config_refusal(config),
              "ingress rule 1: 'oifname' in the ingress chain: expected 'iifname'");
    config.ingress.rules = {};
    config.egress.rules = {rule("accept"), rule("iifname eth0 drop")};
    EXPECT_EQ(config_refusal(config),
              "egress rule 2: 'iifname' in the egress chain: expected 'oifname'");
}

TEST(Check, Comments) {
    Config config;
    config.ingress.rules = {rule("accept")};
    config.ingress.rules[0].comment = "\xff";
    EXPECT_EQ(config_refusal(config), "ingress rule 1: the comment is not UTF-8");
    config.ingress.rules[0].comment = std::string(129, 'x');
    EXPECT_EQ(config_refusal(config),
              "ingress rule 1: the comment has 129 octets: at most 128 are kept");
    config.ingress.rules[0].comment = std::string(128, 'x');
    EXPECT_EQ(config_refusal(config), "");
    config.sets["s"] = ipv4_set("s", {});
    config.sets["s"].comment = "a\tb";
    EXPECT_EQ(config_refusal(config), "set 's': the comment contains a control character");
    config.sets["s"].comment = "";
    config.sets["a b"] = ipv4_set("a b", {});
    EXPECT_EQ(config_refusal(config),
              "set 'a b' is no name for a set: expected a letter, then letters, digits, '_', '-' "
              "or '.', at most 64");
}

TEST(Check, Utf8) {
    EXPECT_EQ(utf8_length("aü€😀"), 10U);
    EXPECT_EQ(utf8_length("a\x80"), 1U);            // a continuation alone
    EXPECT_EQ(utf8_length("\xc0\x80"), 0U);         // overlong
    EXPECT_EQ(utf8_length("\xe0\x80\x80"), 0U);     // overlong
    EXPECT_EQ(utf8_length("\xed\xa0\x80"), 0U);     // surrogate
    EXPECT_EQ(utf8_length("\xf4\x90\x80\x80"), 0U); // above U+10FFFF
    EXPECT_EQ(utf8_length("ab\xe2\x82"), 2U);       // cut
}

TEST(Check, ServicesNamedTwice) {
    Config config;
    config.balancer.services = {service("192.0.2.1:80/tcp", {}), service("192.0.2.1:80/tcp", {})};
    EXPECT_EQ(config_refusal(config), "service 192.0.2.1:80/tcp is given twice");
}

TEST(Check, Backends) {
    Config config;
    config.balancer.services = {service("192.0.2.1:80/tcp", {"10.0.0.1", "fd00::1"})};
    EXPECT_EQ(config_refusal(config),
              "service 192.0.2.1:80/tcp: backend fd00::1 is IPv6: forward mode ipip carries "
              "packets for an IPv4 VIP to IPv4 backends only");
    config.balancer.services = {service("[2001:db8::1]:80/tcp", {"10.0.0.1"})};
    config.balancer.services[0].forward = Forward::kL2Dsr;
    EXPECT_EQ(config_refusal(config),
              "service [2001:db8::1]:80/tcp: backend 10.0.0.1 is IPv4: forward mode l2dsr carries "
              "packets for an IPv6 VIP to IPv6 backends only");
    config.balancer.services = {service("192.0.2.1:80/tcp", {"10.0.0.1", "10.0.0.1"})};
    EXPECT_EQ(config_refusal(config), "service 192.0.2.1:80/tcp: backend 10.0.0.1 is given twice");
    config.balancer.services = {service("192.0.2.1:80/tcp", {"10.0.0.1"})};
    config.balancer.services[0].backends[0].weight = 65536;
    EXPECT_EQ(config_refusal(config),
              "service 192.0.2.1:80/tcp: backend 10.0.0.1: weight 65536: expected 0 to 65535");
}

TEST(Check, SourcesOfTheWrongFamily) {
    Config config;
    config.balancer.source = *Prefix::parse("fd00::/64");
    EXPECT_EQ(config_refusal(config),
              "lb source fd00::/64: expected IPv4; an IPv6 source is `source6`");
    config.balancer.source.reset();
    config.balancer.source6 = *Prefix::parse("10.0.0.0/8");
    EXPECT_EQ(config_refusal(config),
              "lb source6 10.0.0.0/8: expected IPv6; an IPv4 source is `source`");
}

TEST(CheckLimits, NameTheOptionThatRaisesThem) {
    Config config;
    config.ingress.rules = {rule("accept"), rule("drop")};
    config.egress.rules = {rule("drop")};
    config.balancer.services = {service("192.0.2.1:80/tcp", {"10.0.0.1", "10.0.0.2"}),
                                service("192.0.2.2:80/tcp", {"10.0.0.1"})};
    Limits limits{.rules = 3, .services = 2, .backends = 3};
    EXPECT_EQ(config_refusal(config, limits), "");
    limits.rules = 2;
    EXPECT_EQ(config_refusal(config, limits),
              "3 rules in both chains: the limit is 2; to raise it: `weir "
              "unload`, then `weir load --max-rules 3`");
    limits.rules = 3;
    limits.services = 1;
    EXPECT_EQ(config_refusal(config, limits),
              "2 services: the limit is 1; to raise it: `weir unload`, "
              "then `weir load --max-services 2`");
    limits.services = 2;
    limits.backends = 2;
    EXPECT_EQ(config_refusal(config, limits),
              "3 backends in all services: the limit is 2; to raise it: "
              "`weir unload`, then `weir load --max-backends 3`");
}

TEST(CheckLimits, Sets) {
    Config config;
    for (int i = 0; i < SETS_MAX; i++) {
        const std::string name = "s" + std::to_string(i);
        config.sets[name] = ipv4_set(name, {});
    }
    EXPECT_EQ(config_refusal(config), "");
    config.sets["more"] = ipv4_set("more", {});
    EXPECT_EQ(config_refusal(config), "65 sets: at most 64 are possible; join some of them");
}

TEST(CheckLimits, ElementsCountAsThePrefixesTheyBecome) {
    Config config;
    // 1, 2-3, 4-7, 8-9, 10: five prefixes.
    config.sets["a"] = ipv4_set("a", {{{0, 1}, {0, 10}}});
    EXPECT_EQ(config_refusal(config, {.set_elements = 5}), "");
    EXPECT_EQ(config_refusal(config, {.set_elements = 4}),
              "5 IPv4 prefixes in all sets: the limit is 4; to raise it: `weir unload`, then `weir "
              "load --max-set-elements 5`");
    // The same prefix in a second set is the same entry; another one is not.
    config.sets["b"] = ipv4_set("b", {{{0, 4}, {0, 7}}});
    EXPECT_EQ(config_refusal(config, {.set_elements = 5}), "");
    config.sets["b"] = ipv4_set("b", {{{0, 4}, {0, 5}}});
    EXPECT_EQ(config_refusal(config, {.set_elements = 5}),
              "6 IPv4 prefixes in all sets: the limit is 5; to raise it: `weir unload`, then `weir "
              "load --max-set-elements 6`");
    // IPv6 has a table of its own; the whole of it is one prefix.
    config.sets["b"] = {"b", SetType::kIpv6Addr, "", {{{0, 0}, {~0ULL, ~0ULL}}}};
    EXPECT_EQ(config_refusal(config, {.set_elements = 5}), "");
    // ::1 to ffff:…:fffe is the worst: 127 prefixes up and 127 down.
    config.sets["b"].elements = {{{0, 1}, {~0ULL, ~0ULL - 1}}};
    EXPECT_EQ(config_refusal(config, {.set_elements = 5}),
              "254 IPv6 prefixes in all sets: the limit is 5; to raise it: `weir unload`, then "
              "`weir load --max-set-elements 254`");
    // The whole of IPv4, too.
    config.sets["a"] = ipv4_set("a", {{{0, 0}, {0, 0xffffffff}}});
    config.sets.erase("b");
    EXPECT_EQ(config_refusal(config, {.set_elements = 1}), "");
}

} // namespace
} // namespace weir::model
