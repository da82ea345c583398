#include <gtest/gtest.h>

#include "in_words.h"
#include "text/config_text.h"

namespace weir::text {
namespace {

using test::config_of;

std::vector<std::string> lines(const std::string& from, const std::string& to) {
    std::vector<std::string> all;
    for (const Change& change : diff(config_of(from), config_of(to))) {
        all.push_back(std::string(1, change.sign) + " " + change.text);
    }
    return all;
}

std::string ingress(const std::vector<std::string>& rules) {
    std::string yaml = "firewall:\n  ingress:\n    rules:\n";
    for (const std::string& rule : rules) {
        yaml += "      - " + rule + "\n";
    }
    return yaml;
}

using Lines = std::vector<std::string>;

TEST(Diff, TheSameHasNone) {
    const std::string yaml = "firewall: {ingress: {rules: [ip saddr @s drop]}}\n"
                             "sets: {s: {type: ipv4_addr, elements: [10.0.0.1, 10.0.0.2]}}\n"
                             "lb:\n"
                             "- {vip: 192.0.2.1:80/tcp, backends: [10.0.0.1, 10.0.0.2]}\n"
                             "- {vip: 192.0.2.2:80/tcp}\n";
    const std::string reordered =
        "lb:\n"
        "- {vip: 192.0.2.2:80/tcp}\n"
        "- {vip: 192.0.2.1:80/tcp, forward: ipip, backends: [10.0.0.2, 10.0.0.1]}\n"
        "sets: {s: {type: ipv4_addr, elements: [10.0.0.1-10.0.0.2]}}\n"
        "firewall: {ingress: {policy: accept, rules: [ip saddr @s drop]}}\n";
    EXPECT_EQ(lines(yaml, yaml), Lines{});
    EXPECT_EQ(lines(yaml, reordered), Lines{});
    EXPECT_EQ(lines("", ""), Lines{});
}

TEST(Diff, HandlesAndSlotsSayNothing) {
    model::Config from = config_of(ingress({"accept"}));
    model::Config to = from;
    to.ingress.rules[0].handle = 7;
    to.ingress.rules[0].slot = 3;
    EXPECT_TRUE(diff(from, to).empty());
}

TEST(Diff, PoliciesAndPackets) {
    EXPECT_EQ(lines("", "firewall: {ingress: {policy: drop}, packets: {ipv4-options: drop}}"),
              (Lines{"~ policy ingress accept -> drop", "~ packets ipv4-options filter -> drop"}));
    EXPECT_EQ(lines("firewall: {egress: {policy: drop}}", ""),
              Lines{"~ policy egress drop -> accept"});
}

TEST(Diff, RulesAreInOrder) {
    EXPECT_EQ(lines(ingress({"tcp dport 1 drop", "tcp dport 2 drop", "tcp dport 3 drop"}),
                    ingress({"tcp dport 22 accept", "tcp dport 1 drop", "tcp dport 3 drop",
                             "tcp dport 4 drop"})),
              (Lines{"+ rule ingress tcp dport 22 accept", "- rule ingress tcp dport 2 drop",
                     "+ rule ingress tcp dport 4 drop"}));
    EXPECT_EQ(lines("", "firewall: {egress: {rules: [tcp dport 1 drop comment \"x\"]}}"),
              Lines{"+ rule egress tcp dport 1 drop comment \"x\""});
    EXPECT_EQ(lines(ingress({"tcp dport 1 drop", "tcp dport 2 drop"}), ""),
              (Lines{"- rule ingress tcp dport 1 drop", "- rule ingress tcp dport 2 drop"}));
}

TEST(Diff, AMovedRuleIsMoved) {
    EXPECT_EQ(lines(ingress({"tcp dport 1 drop", "tcp dport 2 drop", "tcp dport 3 drop"}),
                    ingress({"tcp dport 3 drop", "tcp dport 1 drop", "tcp dport 2 drop"})),
              Lines{"~ rule ingress tcp dport 3 drop moved from position 3 to 1"});
}

TEST(Diff, OneOfSeveralEqualRules) {
    EXPECT_EQ(lines(ingress({"tcp dport 1 drop", "tcp dport 2 drop", "tcp dport 1 drop"}),
                    ingress({"tcp dport 2 drop", "tcp dport 1 drop"})),
              Lines{"- rule ingress tcp dport 1 drop"});
}

TEST(Diff, Sets) {
    const std::string s = "sets: {blocked: {type: ipv4_addr, elements: [192.0.2.0/24]}}";
    EXPECT_EQ(lines("", s),
              (Lines{"+ set blocked type ipv4_addr", "+ set blocked element 192.0.2.0/24"}));
    EXPECT_EQ(lines(s, ""),
              (Lines{"- set blocked type ipv4_addr", "- set blocked element 192.0.2.0/24"}));
    EXPECT_EQ(lines(s, "sets: {blocked: {type: ipv4_addr, comment: x, elements: [10.0.0.1]}}"),
              (Lines{"+ set blocked comment \"x\"", "- set blocked element 192.0.2.0/24",
                     "+ set blocked element 10.0.0.1"}));
    EXPECT_EQ(lines("sets: {a: {type: ipv4_addr, comment: x}}",
                    "sets: {a: {type: ipv4_addr, comment: y}}"),
              Lines{"~ set a comment \"x\" -> \"y\""});
    EXPECT_EQ(lines("sets: {a: {type: ipv4_addr, elements: [10.0.0.1]}}",
                    "sets: {a: {type: inet_service, elements: [80]}}"),
              (Lines{"- set a type ipv4_addr", "- set a element 10.0.0.1",
                     "+ set a type inet_service", "+ set a element 80"}));
}

TEST(Diff, Services) {
    const std::string one = "lb: [{vip: 203.0.113.10:80/tcp, backends: [10.0.2.2, 10.0.2.3]}]";
    EXPECT_EQ(lines("", one), (Lines{"+ service 203.0.113.10:80/tcp forward ipip",
                                     "+ service 203.0.113.10:80/tcp backend 10.0.2.2 weight 1",
                                     "+ service 203.0.113.10:80/tcp backend 10.0.2.3 weight 1"}));
    EXPECT_EQ(lines(one, "lb: [{vip: 203.0.113.11:80/tcp}]"),
              (Lines{"- service 203.0.113.10:80/tcp forward ipip",
                     "- service 203.0.113.10:80/tcp backend 10.0.2.2 weight 1",
                     "- service 203.0.113.10:80/tcp backend 10.0.2.3 weight 1",
                     "+ service 203.0.113.11:80/tcp forward ipip"}));
    EXPECT_EQ(lines(one, "lb: [{vip: 203.0.113.10:80/tcp, forward: l2dsr, backends: "
                         "[{address: 10.0.2.3, weight: 3}, 10.0.2.4]}]"),
              (Lines{"~ service 203.0.113.10:80/tcp forward ipip -> l2dsr",
                     "- service 203.0.113.10:80/tcp backend 10.0.2.2 weight 1",
                     "~ service 203.0.113.10:80/tcp backend 10.0.2.3 weight 1 -> 3",
                     "+ service 203.0.113.10:80/tcp backend 10.0.2.4 weight 1"}));
}

TEST(Diff, BalancerSettings) {
    EXPECT_EQ(lines("lb: {source: 10.99.0.0/16, gateway: 02:00:00:00:00:01}",
                    "lb: {source: 10.98.0.1, source6: fd00:99::/64}"),
              (Lines{"~ lb source 10.99.0.0/16 -> 10.98.0.1", "+ lb source6 fd00:99::/64",
                     "- lb gateway 02:00:00:00:00:01"}));
}

} // namespace
} // namespace weir::text
