#include <fstream>
#include <gtest/gtest.h>
#include <iterator>

#include "in_words.h"
#include "text/config_text.h"

namespace weir::text {
namespace {

using test::config_of;

std::string config_refusal(const std::string& yaml) {
    std::vector<Warning> warnings;
    const auto config = parse_config(yaml, "w.yaml", warnings);
    return config ? "accepted" : config.error().message();
}

constexpr const char* kWhole = R"(firewall:
  ingress:
    policy: drop
    rules:
      - ip saddr @blocked drop comment "abuse"
      - tcp dport { 22, 80-90 } accept
  egress:
    rules:
      - oifname "eth0" udp dport 53 accept
  packets:
    ipv4-options: drop
sets:
  blocked:
    type: ipv4_addr
    comment: seen at night
    elements:
      - 10.0.0.1-10.0.0.9
      - 192.0.2.0/24
  ports6:
    type: ipv6_addr
    elements:
      - 2001:db8::/32
lb:
  source: 10.99.0.0/16
  source6: fd00:99::/64
  gateway: 02:00:00:00:00:01
  services:
    - vip: 203.0.113.10:80/tcp
      backends:
        - 10.0.2.2
        - {address: 10.0.2.3, weight: 3}
    - vip: "[2001:db8::10]:any/udp"
      forward: l2dsr
      backends:
        - fd00::2
)";

TEST(ConfigText, AnEmptyFileIsAnEmptyConfiguration) {
    for (const char* yaml : {"", "# nothing\n", "{}", "---\n", "firewall:\nsets:\nlb:\n",
                             "firewall: {ingress: {rules: []}}", "lb: []"}) {
        EXPECT_EQ(print_config(config_of(yaml)), "{}\n") << yaml;
    }
}

TEST(ConfigText, ReadsEveryKey) {
    const model::Config config = config_of(kWhole);

    EXPECT_EQ(config.ingress.policy, model::Verdict::kDrop);
    ASSERT_EQ(config.ingress.rules.size(), 2U);
    EXPECT_EQ(config.ingress.rules[0].matches[0].set, "blocked");
    EXPECT_EQ(config.ingress.rules[0].comment, "abuse");
    EXPECT_EQ(config.ingress.rules[0].handle, 0U);
    EXPECT_EQ(config.ingress.rules[0].slot, model::kNoSlot);
    EXPECT_EQ(config.egress.policy, model::Verdict::kAccept);
    EXPECT_EQ(config.egress.rules.size(), 1U);
    EXPECT_EQ(config.class_actions[CLASS_IPV4_OPTIONS], ACTION_DROP);
    EXPECT_EQ(config.class_actions[CLASS_ARP], ACTION_ACCEPT);
    ASSERT_EQ(config.sets.size(), 2U);
    EXPECT_EQ(config.sets.at("blocked").type, model::SetType::kIpv4Addr);
    EXPECT_EQ(config.sets.at("blocked").comment, "seen at night");
    EXPECT_EQ(config.sets.at("blocked").elements.size(), 2U);
    EXPECT_EQ(config.balancer.source->to_string(), "10.99.0.0/16");
    EXPECT_EQ(config.balancer.source6->to_string(), "fd00:99::/64");
    EXPECT_EQ(config.balancer.gateway->to_string(), "02:00:00:00:00:01");
    ASSERT_EQ(config.balancer.services.size(), 2U);
    const model::Service& web = config.balancer.services[0];
    EXPECT_EQ(web.key.to_string(), "203.0.113.10:80/tcp");
    EXPECT_EQ(web.forward, model::Forward::kIpip);
    ASSERT_EQ(web.backends.size(), 2U);
    EXPECT_EQ(web.backends[0].weight, 1U);
    EXPECT_EQ(web.backends[1].address.to_string(), "10.0.2.3");
    EXPECT_EQ(web.backends[1].weight, 3U);
    EXPECT_EQ(config.balancer.services[1].forward, model::Forward::kL2Dsr);
}

TEST(ConfigText, PrintsTheCanonicalFormOfItself) {
    EXPECT_EQ(print_config(config_of(kWhole)), kWhole);
}

TEST(ConfigText, TheExampleIsAccepted) {
    std::ifstream stream("docs/examples/weir.yaml");
    ASSERT_TRUE(stream) << "unit_tests is to be run in the project's root";
    const std::string yaml(std::istreambuf_iterator<char>(stream), {});
    std::vector<Warning> warnings;

    const auto config = parse_config(yaml, "weir.yaml", warnings);

    ASSERT_TRUE(config) << config.error().message();
    EXPECT_TRUE(warnings.empty());
    EXPECT_EQ(config->ingress.rules.size(), 12U);
    EXPECT_EQ(config->balancer.services.size(), 3U);
    const auto checked = model::check(*config, {});
    EXPECT_TRUE(checked) << checked.error().message();
    EXPECT_TRUE(diff(*config, config_of(print_config(*config))).empty());
}

TEST(ConfigText, LbMayBeTheListOfServices) {
    const model::Config config =
        config_of("lb: [{vip: 203.0.113.10:80/tcp, backends: [10.0.2.2]}]");

    ASSERT_EQ(config.balancer.services.size(), 1U);
    EXPECT_EQ(print_config(config), "lb:\n"
                                    "  services:\n"
                                    "    - vip: 203.0.113.10:80/tcp\n"
                                    "      backends:\n"
                                    "        - 10.0.2.2\n");
}

TEST(ConfigText, CommentsThatLookLikeYamlComeBackAsTheyWere) {
    for (const char* comment :
         {"null", "~",  "yes", "- a", "a: b",  "a #b",   "[x",          "{",
          "'q'",  "&a", "*a",  "!t",  " lead", "trail ", "ünï",         "%",
          "@at",  "`",  "1e3", "?",   ":",     "#",      "back\\slash", ","}) {
        model::Config config;
        config.sets["s"] = {"s", model::SetType::kInetService, comment, {}};
        const std::string yaml = print_config(config);
        EXPECT_EQ(config_of(yaml).sets["s"].comment, comment) << yaml;
    }
}

TEST(ConfigText, SetsMayBeNamedLikeAnyWord) {
    model::Config config;
    for (const char* name : {"null", "true", "type", "x_", "a-b.c"}) {
        config.sets[name] = {name, model::SetType::kInetService, "", {{{0, 80}, {0, 80}}}};
    }
    EXPECT_EQ(config_of(print_config(config)).sets, config.sets);
}

// A rule could not name it: nft's set names begin with a letter.
TEST(ConfigText, SetNamesBeginWithALetter) {
    EXPECT_EQ(
        model::set_name_fault("_x"),
        "'_x' is no name for a set: expected a letter, then letters, digits, '_', '-' or '.', "
        "at most 64");
}

TEST(ConfigText, ElementsMergeInAnyOrder) {
    const auto set =
        config_of("sets: {p: {elements: [8000-8080, 80, 8081, 80], type: inet_service}}")
            .sets.at("p");
    const std::vector<model::Interval> expected{{{0, 80}, {0, 80}}, {{0, 8000}, {0, 8081}}};
    EXPECT_EQ(set.elements, expected);
}

TEST(ConfigText, ByteOrderMarkAndCarriageReturnsAreRead) {
    EXPECT_EQ(print_config(config_of("\xef\xbb\xbf"
                                     "lb:\r\n  source: 10.0.0.1\r\n")),
              "lb:\n  source: 10.0.0.1\n");
}

TEST(ConfigText, AnAliasIsWhatItNames) {
    const auto config =
        config_of("lb:\n- {vip: 192.0.2.1:80/tcp, backends: &b [10.0.0.1, 10.0.0.2]}\n"
                  "- {vip: 192.0.2.2:80/tcp, backends: *b}\n");
    ASSERT_EQ(config.balancer.services.size(), 2U);
    EXPECT_EQ(config.balancer.services[1].backends.size(), 2U);
}

TEST(ConfigText, MaskedPrefixesAreWarnedOf) {
    std::vector<Warning> warnings;
    const auto config = parse_config("firewall:\n"
                                     "  ingress:\n"
                                     "    rules:\n"
                                     "      - \"ip saddr 10.0.0.1/8 drop\"\n"
                                     "sets:\n"
                                     "  s: {type: ipv4_addr, elements: [192.0.2.7/24]}\n"
                                     "lb: {source: 10.99.1.1/16}\n",
                                     "w.yaml", warnings);
    ASSERT_TRUE(config);
    ASSERT_EQ(warnings.size(), 3U);
    EXPECT_EQ(warnings[0].message, "10.0.0.1/8 has host bits set: taken as 10.0.0.0/8");
    EXPECT_EQ(warnings[0].place.line, 4);
    EXPECT_EQ(warnings[0].place.column, 19);
    EXPECT_EQ(warnings[1].message, "192.0.2.7/24 has host bits set: taken as 192.0.2.0/24");
    EXPECT_EQ(warnings[1].place.line, 6);
    EXPECT_EQ(warnings[1].place.column, 35);
    EXPECT_EQ(warnings[2].message, "10.99.1.1/16 has host bits set: taken as 10.99.0.0/16");
    EXPECT_EQ(warnings[2].place.line, 7);
    EXPECT_EQ(warnings[2].place.column, 14);
}

TEST(ConfigRefusal, UnknownKeysNameTheNearOne) {
    EXPECT_EQ(config_refusal("firewal: {}"),
              "w.yaml:1:1: unknown key 'firewal' of the configuration: expected firewall, sets, "
              "lb; did you mean 'firewall'?");
    EXPECT_EQ(config_refusal("firewall:\n  ingress:\n    polcy: drop\n"),
              "w.yaml:3:5: unknown key 'polcy' of ingress: expected policy, rules; did you mean "
              "'policy'?");
    EXPECT_EQ(config_refusal("lb:\n  nonsense: 1\n"),
              "w.yaml:2:3: unknown key 'nonsense' of lb: expected source, source6, gateway, "
              "seed, idle, services");
    EXPECT_EQ(config_refusal("sets:\n  s:\n    typ: ipv4_addr\n"),
              "w.yaml:3:5: unknown key 'typ' of set 's': expected type, comment, elements; did "
              "you mean 'type'?");
    EXPECT_EQ(config_refusal("lb: [{vip: 192.0.2.1:80/tcp, mode: ipip}]"),
              "w.yaml:1:30: unknown key 'mode' of service: expected vip, forward, vlan, backends");
}

TEST(ConfigRefusal, DuplicateKeysNameTheFirst) {
    EXPECT_EQ(config_refusal("sets:\n  a: {type: ipv4_addr}\n  a: {type: ipv6_addr}\n"),
              "w.yaml:3:3: key 'a' is given twice in sets: first in line 2");
    EXPECT_EQ(config_refusal("firewall:\n  ingress: {}\n  ingress: {}\n"),
              "w.yaml:3:3: key 'ingress' is given twice in firewall: first in line 2");
    EXPECT_EQ(config_refusal("firewall: {packets: {arp: drop, arp: accept}}"),
              "w.yaml:1:33: key 'arp' is given twice in packets: first in line 1");
}

TEST(ConfigRefusal, WrongKinds) {
    EXPECT_EQ(config_refusal("firewall"),
              "w.yaml:1:1: the configuration: expected a map of keys and "
              "values, not 'firewall'");
    EXPECT_EQ(config_refusal("firewall: []"),
              "w.yaml:1:11: firewall: expected a map of keys and values, not a list");
    EXPECT_EQ(config_refusal("firewall: {ingress: {rules: accept}}"),
              "w.yaml:1:29: rules: expected a list, not 'accept'");
    EXPECT_EQ(config_refusal("firewall: {ingress: {rules: [[]]}}"),
              "w.yaml:1:30: expected a rule, not a list");
    EXPECT_EQ(
        config_refusal("firewall:\n  ingress:\n    rules:\n      - accept comment \"a\": b\n"),
        "w.yaml:4:9: expected a rule, not a map: put quotes around a rule that contains "
        "': '");
    EXPECT_EQ(config_refusal("firewall: {ingress: {policy: [drop]}}"),
              "w.yaml:1:30: expected policy: accept, drop, not a list");
    EXPECT_EQ(config_refusal("? [a]\n: b\n"),
              "w.yaml:1:3: the configuration: expected a word as key, not a list");
    EXPECT_EQ(config_refusal("lb: {services: [{vip: {}}]}"),
              "w.yaml:1:23: expected a VIP such as 203.0.113.10:80/tcp, not a map");
    EXPECT_EQ(config_refusal("sets: {s: {type: ipv6_addr, elements: [fd00::, fd01::1]}}"),
              "w.yaml:1:40: expected an element, not a map: put quotes around an address that "
              "ends in ':'");
}

TEST(ConfigRefusal, RulesPointAtTheWord) {
    const std::string head = "firewall:\n  ingress:\n    rules:\n      - ";
    const auto place = [&](const std::string& rule) {
        const std::string message = config_refusal(head + rule + "\n");
        return message.substr(0, message.find(' '));
    };
    EXPECT_EQ(place("tcp dport 22 acept"), "w.yaml:4:22:");
    EXPECT_EQ(place("\"tcp dport 22 acept\""), "w.yaml:4:23:");
    EXPECT_EQ(place("'tcp dport 22 acept'"), "w.yaml:4:23:");
    EXPECT_EQ(place("\"iifname \\\"e\\\" acept\""), "w.yaml:4:24:");
    EXPECT_EQ(place("&a tcp dport 22 acept"), "w.yaml:4:25:");
    EXPECT_EQ(place("tcp dport 70000 accept"), "w.yaml:4:19:");
    // Folded over lines the place within the rule is not known: that of the rule is.
    EXPECT_EQ(place("tcp dport\n          22 acept"), "w.yaml:4:9:");
    EXPECT_EQ(place("|\n          tcp dport 22 acept"), "w.yaml:4:9:");
}

TEST(ConfigRefusal, RulesThatContradictTheRest) {
    const std::string head = "firewall:\n  ingress:\n    rules:\n      - ";
    EXPECT_EQ(config_refusal(head + "ip saddr @blokced drop\n"),
              "w.yaml:4:18: '@blokced': there is no such set; make it with `weir set create "
              "blokced ipv4_addr`, or name it under `sets:`");
    EXPECT_EQ(config_refusal(head + "ip saddr @p drop\nsets: {p: {type: inet_service}}\n"),
              "w.yaml:4:18: '@p' is a set of inet_service: `ip saddr` needs ipv4_addr");
    EXPECT_EQ(config_refusal(head + "oifname \"eth0\" drop\n"),
              "w.yaml:4:9: 'oifname' in the ingress chain: expected 'iifname'");
    EXPECT_EQ(config_refusal("firewall: {egress: {rules: [iifname eth0 drop]}}"),
              "w.yaml:1:29: 'iifname' in the egress chain: expected 'oifname'");
}

TEST(ConfigRefusal, Words) {
    EXPECT_EQ(config_refusal("firewall: {ingress: {policy: acept}}"),
              "w.yaml:1:30: unknown policy 'acept': expected accept, drop; did you mean 'accept'?");
    EXPECT_EQ(config_refusal("firewall: {packets: {apr: drop}}"),
              "w.yaml:1:22: unknown packet class 'apr': expected arp, neighbour-discovery, "
              "ipv4-options, ipv6-extensions, routing-header, fragment; did you mean 'arp'?");
    EXPECT_EQ(config_refusal("firewall: {packets: {arp: allow}}"),
              "w.yaml:1:27: unknown action 'allow': expected filter, accept, drop");
    EXPECT_EQ(config_refusal("sets: {s: {type: ipv4-addr}}"),
              "w.yaml:1:18: unknown type 'ipv4-addr': expected ipv4_addr, ipv6_addr, "
              "inet_service; did you mean 'ipv4_addr'?");
    EXPECT_EQ(config_refusal("lb: [{vip: 192.0.2.1:80/tcp, forward: nat}]"),
              "w.yaml:1:39: unknown forward mode 'nat': expected ipip, l2dsr");
    EXPECT_EQ(config_refusal("firewall: {ingress: {policy: \"" + std::string(100, 'x') + "\"}}"),
              "w.yaml:1:30: unknown policy '" + std::string(60, 'x') + "…': expected accept, drop");
}

TEST(ConfigRefusal, Sets) {
    EXPECT_EQ(config_refusal("sets: {s: {elements: [80]}}"),
              "w.yaml:1:8: set 's' has no type: expected ipv4_addr, ipv6_addr or inet_service");
    EXPECT_EQ(config_refusal("sets: {s: }"),
              "w.yaml:1:8: set 's' has no type: expected ipv4_addr, ipv6_addr or inet_service");
    EXPECT_EQ(config_refusal("sets: {9lives: {type: ipv4_addr}}"),
              "w.yaml:1:8: '9lives' is no name for a set: expected a letter, then letters, "
              "digits, '_', '-' or '.', at most 64");
    EXPECT_EQ(config_refusal("sets: {s: {type: ipv4_addr, comment: 'say \"no\"'}}"),
              "w.yaml:1:38: the comment contains '\"', which cannot be written inside quotes");
    EXPECT_EQ(config_refusal("sets: {s: {type: ipv4_addr, comment: \"a\\nb\"}}"),
              "w.yaml:1:38: the comment contains a control character");
    const std::string wrong =
        config_refusal("sets: {s: {type: inet_service, elements: [80, 70000]}}");
    EXPECT_EQ(wrong.substr(0, 13), "w.yaml:1:47: ") << wrong;
    EXPECT_NE(wrong.find("70000"), std::string::npos) << wrong;
}

TEST(ConfigRefusal, Services) {
    EXPECT_EQ(config_refusal("lb:\n  - vip: 192.0.2.1:70000/tcp\n"),
              "w.yaml:2:10: service '192.0.2.1:70000/tcp': port '70000' must be 1 to 65535, or "
              "any");
    EXPECT_EQ(config_refusal("lb:\n  - vip: 192.0.2.1:80/tcp\n  - vip: 192.0.2.1:80/tcp\n"),
              "w.yaml:3:10: service 192.0.2.1:80/tcp is given twice: first in line 2");
    EXPECT_EQ(config_refusal("lb: [{backends: [10.0.0.1]}]"),
              "w.yaml:1:6: the service has no vip: expected vip: 203.0.113.10:80/tcp");
    EXPECT_EQ(config_refusal("lb:\n  source: fd00::1\n"),
              "w.yaml:2:11: 'fd00::1': expected an IPv4 address or prefix; the other family's key "
              "is source6");
    EXPECT_EQ(config_refusal("lb:\n  source6: 10.0.0.0/8\n"),
              "w.yaml:2:12: '10.0.0.0/8': expected an IPv6 address or prefix; the other family's "
              "key is source");
    EXPECT_EQ(config_refusal("lb:\n  gateway: 02:00\n"),
              "w.yaml:2:12: '02:00' is not an Ethernet address: expected 02:00:00:00:00:01");
}

TEST(ConfigRefusal, Backends) {
    const std::string head = "lb:\n  - vip: 192.0.2.1:80/tcp\n    backends:\n      - ";
    EXPECT_EQ(config_refusal(head + "{address: 10.0.0.1, weight: -1}\n"),
              "w.yaml:4:37: weight '-1': expected 0 to 65535");
    EXPECT_EQ(config_refusal(head + "{address: 10.0.0.1, weight: 70000}\n"),
              "w.yaml:4:37: weight '70000': expected 0 to 65535");
    EXPECT_EQ(config_refusal(head + "{weight: 7}\n"),
              "w.yaml:4:9: the backend has no address: expected {address: 10.0.2.3, weight: 3}");
    EXPECT_EQ(config_refusal(head + "10.0.0.300\n"),
              "w.yaml:4:9: '10.0.0.300' is not an IP address: expected 192.0.2.1 or 2001:db8::1");
    EXPECT_EQ(config_refusal(head + "10.0.0.1\n      - 10.0.0.2\n      - {address: 10.0.0.1}\n"),
              "w.yaml:6:19: service 192.0.2.1:80/tcp: backend 10.0.0.1 is given twice");
    EXPECT_EQ(config_refusal(head + "10.0.0.1\n      - fd00::1\n"),
              "w.yaml:5:9: service 192.0.2.1:80/tcp: backend fd00::1 is IPv6: forward mode ipip "
              "carries packets for an IPv4 VIP to IPv4 backends only");
    EXPECT_EQ(config_refusal(head + "\"10.0.0.1\\0x\"\n"),
              "w.yaml:4:9: expected the address of a backend, not a NUL character");
}

TEST(ConfigRefusal, WhatIsNotOneDocumentOfYaml) {
    EXPECT_EQ(config_refusal("lb:\n  source: 10.0.0.1\n   bad: x\n"),
              "w.yaml:3:7: not a configuration in YAML: illegal map value");
    EXPECT_EQ(config_refusal("a: b\n---\nc: d\n"),
              "w.yaml:2:1: not a configuration in YAML: a second document: a configuration is one");
    EXPECT_EQ(config_refusal("lb: !!map {}\n"),
              "w.yaml:1:5: not a configuration in YAML: the tag 'tag:yaml.org,2002:map': tags have "
              "no meaning here");
    EXPECT_EQ(config_refusal("lb:\n  source: \xff\n"), "w.yaml:2:11: the file is not UTF-8");
    EXPECT_EQ(config_refusal(std::string("lb:\n\0", 5)), "w.yaml:2:1: control character 0");
    EXPECT_EQ(config_refusal("<<: {}"),
              "w.yaml:1:1: unknown key '<<' of the configuration: expected firewall, sets, lb");
}

TEST(ConfigRefusal, WhatHasNoBounds) {
    const std::string deep(100000, '[');
    EXPECT_NE(config_refusal(deep).find("not a configuration in YAML: nested more than 32 deep"),
              std::string::npos);
    EXPECT_EQ(config_refusal(std::string((16 << 20) + 1, ' ')),
              "w.yaml:1:1: the file has 16777217 octets: at most 16777216 are read");
    EXPECT_EQ(config_refusal("a: &a [*a]"),
              "w.yaml:1:8: not a configuration in YAML: an alias to what it stands in");
    // Each line names the one before nine times: 9^9 values.
    std::string bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n";
    for (int i = 1; i < 9; i++) {
        const std::string n = std::to_string(i);
        const std::string alias = "*a" + std::to_string(i - 1);
        bomb += "a" + n + ": &a" + n + " [" + alias;
        for (int j = 1; j < 9; j++) {
            bomb += "," + alias;
        }
        bomb += "]\n";
    }
    EXPECT_NE(
        config_refusal(bomb).find("more than 2097152 values, each alias counted as what it names"),
        std::string::npos);
}

} // namespace
} // namespace weir::text
