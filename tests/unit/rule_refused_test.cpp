#include <gtest/gtest.h>

#include "text/rule_text.h"

namespace weir::text {
namespace {

// "COLUMN: message" of the refusal, or the rule if it was not refused.
std::string rule_refusal(std::string_view text) {
    std::vector<Warning> warnings;
    const auto parsed = parse_rule(text, warnings);
    return parsed ? "taken as: " + print(*parsed)
                  : std::to_string(parsed.error().place.column) + ": " + parsed.error().message;
}

struct Refused {
    std::string rule;
    std::string because; // "COLUMN: message"
};

class RuleRefused : public testing::TestWithParam<Refused> {};

TEST_P(RuleRefused, WithItsPlaceAndMend) {
    EXPECT_EQ(rule_refusal(GetParam().rule), GetParam().because) << GetParam().rule;
}

const std::string kWords =
    ": expected a field (ip saddr, tcp dport, …), counter, accept, drop or comment";
const std::string kIpv4 =
    "expected an IPv4 address, prefix or range: 10.0.0.1, 10.0.0.0/8, 10.0.0.1-10.0.0.9";
const std::string kIpv6 =
    "expected an IPv6 address, prefix or range: 2001:db8::1, 2001:db8::/32, ::1-::9";
const std::string kPort = "expected a port, 0 to 65535, or the name of a service";
const std::string kFlags = "expected fin, syn, rst, psh, ack, urg, ecn, cwr or 0x0 to 0xff";
const std::string kNoSet = " takes no named set here; write the values, { A, B }";
const std::string kLast = ": the verdict stands last, only a comment may follow";

INSTANTIATE_TEST_SUITE_P(
    Words, RuleRefused,
    testing::Values(
        Refused{"", "1: a rule needs accept, drop or counter"},
        Refused{"tcp dport 22", "13: a rule needs accept, drop or counter"},
        Refused{"tcp dport 22 comment \"x\"", "25: a rule needs accept, drop or counter"},
        Refused{"tpc dport 22 drop", "1: unknown word 'tpc'" + kWords + "; did you mean 'tcp'?"},
        Refused{"tcp dport 22 acept",
                "14: unknown word 'acept'" + kWords + "; did you mean 'accept'?"},
        Refused{"tcp dport 22 frobnicate", "14: unknown word 'frobnicate'" + kWords},
        Refused{"| drop", "1: unknown word '|'" + kWords},
        Refused{"\"ip\" drop", "1: unknown word '\"ip\"'" + kWords + "; did you mean 'ip'?"},
        Refused{"accept;", "7: ';' after the verdict 'accept'" + kLast},
        Refused{"ip sadr 10.0.0.1 drop", "4: unknown field 'ip sadr': expected ip saddr, ip daddr, "
                                         "ip dscp, ip frag-off or ip protocol; did you mean 'ip "
                                         "saddr'?"},
        Refused{"ip ttl 5 drop", "4: unknown field 'ip ttl': expected ip saddr, ip daddr, ip dscp, "
                                 "ip frag-off or ip protocol"},
        Refused{"tcp", "4: the end of the rule after 'tcp': expected tcp sport, tcp dport or tcp "
                       "flags"},
        Refused{"tcp { 22 } drop",
                "5: '{' after 'tcp': expected tcp sport, tcp dport or tcp flags"},
        Refused{"meta l4prot tcp drop", "6: unknown field 'meta l4prot': expected meta l4proto; "
                                        "did you mean 'meta l4proto'?"},
        Refused{"meta protocol ip drop",
                "1: 'meta protocol' is not among Weir's rules: write `ether type`"},
        Refused{"ip6 nexthdr tcp drop",
                "1: 'ip6 nexthdr' is not among Weir's rules: write `meta l4proto`"},
        Refused{"th dport 53 drop", "1: 'th' is not among Weir's rules: write `tcp dport` or `udp "
                                    "dport`, a rule each"},
        Refused{"iif lo drop", "1: 'iif' is not among Weir's rules: write `iifname`"},
        Refused{"ct state new drop",
                "1: 'ct' is not among Weir's rules: rules see packets, not connections"},
        Refused{"tcp dport 22 reject", "14: 'reject' is not among Weir's rules: write `drop`"}));

INSTANTIATE_TEST_SUITE_P(
    Statements, RuleRefused,
    testing::Values(
        Refused{"accept drop", "8: 'drop' after the verdict 'accept'" + kLast},
        Refused{"drop drop", "6: 'drop' after the verdict 'drop'" + kLast},
        Refused{"accept counter", "8: 'counter' after the verdict 'accept'" + kLast},
        Refused{"drop tcp dport 22", "6: 'tcp' after the verdict 'drop'" + kLast},
        Refused{"comment \"x\" accept", "13: 'accept' after the comment: the comment stands last"},
        Refused{"drop comment a b", "16: 'b' after the comment: the comment stands last"},
        Refused{"counter counter drop", "9: 'counter' stands twice: write it once"},
        Refused{"counter packets 0 bytes 0 drop",
                "9: 'counter packets': counters start at zero; write `counter` alone (`nft -s list "
                "ruleset` prints it so)"},
        Refused{"counter tcp dport 22 drop",
                "9: 'tcp dport' after 'counter': a counter counts packets that match the whole "
                "rule; write it behind the last match"},
        Refused{"drop comment", "13: the end of the rule: expected the text, comment \"…\""},
        Refused{"drop comment {", "14: '{': expected the text, comment \"…\""},
        Refused{"drop comment \"\"", "14: the comment is empty: leave it out"},
        Refused{"drop comment \"" + std::string(129, 'x') + "\"",
                "14: the comment has 129 octets: at most 128 fit"},
        Refused{"drop comment \"never closed",
                "14: the string is not closed: expected \" before the end of the line"},
        Refused{"drop comment \"two\nlines\"",
                "14: the string is not closed: expected \" before the end of the line"},
        Refused{"ip6 saddr ::1 ip saddr 10.0.0.1 drop",
                "15: 'ip saddr' after 'ip6 saddr': no packet has both"},
        Refused{"tcp dport 1 udp dport 2 drop",
                "13: 'udp dport' after 'tcp dport': no packet has both"},
        Refused{"meta l4proto udp tcp dport 2 drop",
                "18: 'tcp dport' after 'meta l4proto udp': no packet has both"},
        Refused{"ip saddr 10.0.0.1 ether type ip6 drop",
                "19: 'ether type ip6' after 'ip saddr': no packet has both"},
        Refused{"ip6 dscp ef icmp type 8 drop",
                "13: 'icmp type' after 'ip6 dscp': no packet has both"}));

INSTANTIATE_TEST_SUITE_P(
    Values, RuleRefused,
    testing::Values(
        Refused{"tcp dport 70000 drop", "11: '70000' is out of range: tcp dport takes 0 to 65535"},
        Refused{"udp sport { 1, 65536 } drop",
                "16: '65536' is out of range: udp sport takes 0 to 65535"},
        Refused{"udp dport 99999999999999999999 drop",
                "11: '99999999999999999999' is out of range: udp dport takes 0 to 65535"},
        Refused{"vlan id 4096 drop", "9: '4096' is out of range: vlan id takes 0 to 4095"},
        Refused{"ip dscp 64 drop", "9: '64' is out of range: ip dscp takes 0 to 63"},
        Refused{"ip frag-off 0x10000 drop",
                "13: '0x10000' is out of range: ip frag-off takes 0 to 65535"},
        Refused{"icmp code 256 drop", "11: '256' is out of range: icmp code takes 0 to 255"},
        Refused{"tcp dport -1 drop", "11: '-1' is no value of tcp dport: " + kPort},
        Refused{"tcp dport 0x drop", "11: '0x' is no value of tcp dport: " + kPort},
        Refused{"tcp dport 022 drop",
                "11: '022' would be octal in nft: write it without leading zeros"},
        Refused{"tcp dport no-such-service drop",
                "11: 'no-such-service' is no value of tcp dport: " + kPort},
        Refused{"tcp dport 90-80 drop", "11: the range '90-80' is reversed: write 80-90"},
        Refused{"ip saddr 10.0.0.9-10.0.0.1 drop",
                "10: the range '10.0.0.9-10.0.0.1' is reversed: write 10.0.0.1-10.0.0.9"},
        Refused{"tcp dport 80-", "14: the end of the rule: expected the end of the range '80-'"},
        Refused{"tcp dport { } drop",
                "13: the list is empty: tcp dport needs a value, as in { A, B-C }"},
        Refused{"tcp dport { 22 23 } drop", "16: '23': expected ',' or '}'"},
        Refused{"tcp dport { 22, 23", "19: the end of the rule: expected ',' or '}'"},
        Refused{"tcp dport { , 23 } drop", "13: ',': " + kPort},
        Refused{"tcp dport 22,23 drop", "13: ',': several values stand in braces, { A, B }"},
        Refused{"tcp dport = 22 drop", "11: '=': write `==`, or no operator at all"},
        Refused{"tcp dport", "10: the end of the rule: " + kPort},
        Refused{"tcp dport \"22\" drop", "11: '\"22\"': " + kPort},
        Refused{"tcp dport < 0 drop", "13: '0': no value of tcp dport is less"},
        Refused{"tcp dport > 65535 drop", "13: '65535': no value of tcp dport is greater"},
        Refused{"tcp dport < 22-23 drop", "13: '22-23': < takes a single value"},
        Refused{"tcp dport < { 22 } drop", "13: '{': " + kPort},
        Refused{"tcp dport < @ports drop", "13: '@ports': tcp dport" + kNoSet},
        Refused{"tcp dport { @ports, 22 } drop", "13: '@ports': tcp dport" + kNoSet},
        Refused{"vlan id @ports drop", "9: '@ports': vlan id" + kNoSet},
        Refused{"iifname @names drop", "9: '@names': iifname" + kNoSet},
        Refused{"ip saddr @ drop", "10: '@': a set's name begins with a letter, and has letters, "
                                   "digits, '_', '-' and '.'"},
        Refused{"tcp dport 22/24 drop",
                "13: '/': tcp dport takes no prefix length; write a range, FIRST-LAST"},
        Refused{"tcp dport & 1 == 1 drop",
                "11: '&': tcp dport takes no mask; write a prefix or a range"},
        Refused{"ip frag-off & 0 == 0 drop", "15: mask 0 leaves no bit to compare"},
        Refused{"ip frag-off & 0x1fff > 0 drop",
                "22: '>': ip frag-off with a mask is compared with == or !="},
        Refused{"ip frag-off & 0x1fff 1-5 drop",
                "22: '1-5': behind a mask stand single values, not ranges"},
        Refused{"ip frag-off & 1-5 == 1 drop", "15: '1-5': one value is expected here"},
        Refused{"ip frag-off & 0x1fff == 0x2000 drop",
                "25: '0x2000' has bits outside of the mask 8191: this can never be equal"}));

INSTANTIATE_TEST_SUITE_P(
    Addresses, RuleRefused,
    testing::Values(
        Refused{"ip saddr 10.0.0.256 drop", "10: '10.0.0.256': " + kIpv4},
        Refused{"ip saddr localhost drop", "10: 'localhost': " + kIpv4},
        Refused{"ip6 saddr ::g drop", "11: '::g': " + kIpv6},
        Refused{"ip saddr 2001:db8::1 drop", "10: '2001:db8::1' is an IPv6 address: ip saddr takes "
                                             "IPv4; did you mean 'ip6 saddr'?"},
        Refused{"ip6 daddr 10.0.0.0/8 drop", "11: '10.0.0.0' is an IPv4 address: ip6 daddr takes "
                                             "IPv6; did you mean 'ip daddr'?"},
        Refused{"ip saddr 10.0.0.0/33 drop",
                "10: '10.0.0.0/33': the prefix length must be 0 to 32"},
        Refused{"ip6 saddr ::/129 drop", "11: '::/129': the prefix length must be 0 to 128"},
        Refused{"ip saddr 10.0.0.0/ drop",
                "10: '10.0.0.0/ drop': the prefix length must be 0 to 32"},
        Refused{"ip saddr < 10.0.0.0/8 drop", "12: '10.0.0.0/8': < takes a single value"},
        Refused{"ip saddr & 255.0.0.0 == 10.0.0.0 drop",
                "10: '&': ip saddr takes no mask; write a prefix or a range"},
        Refused{"ether saddr 02:00 drop",
                "13: '02:00': expected an Ethernet address, 02:00:00:00:00:01"},
        Refused{"ether saddr 02:00:00:00:00:00/24 drop",
                "30: '/': ether saddr takes no prefix length; write a range, FIRST-LAST"},
        Refused{"iifname \"*\" drop", "9: '*' is every interface: leave iifname out"},
        Refused{"iifname \"\" drop", "9: the interface name is empty: expected an interface name, "
                                     "\"eth0\" or \"eth*\""},
        Refused{"iifname sixteencharnamee drop",
                "9: 'sixteencharnamee' is too long: an interface name has at most 15 octets"},
        Refused{"oifname \"a b\" drop",
                "9: 'a b' is not an interface name: it has no spaces, '/', ':' or '\\'"},
        Refused{"iifname < eth0 drop", "9: '<': iifname is compared with == or !="},
        Refused{"iifname { } drop",
                "11: the list is empty: iifname needs a value, as in { A, B-C }"}));

INSTANTIATE_TEST_SUITE_P(
    Names, RuleRefused,
    testing::Values(
        Refused{"icmp type echo-requst drop",
                "11: 'echo-requst' is no value of icmp type: expected 0 to 255, or a name such as "
                "echo-reply; did you mean 'echo-request'?"},
        Refused{"icmpv6 type nd-neighbour-solicit drop",
                "13: 'nd-neighbour-solicit' is no value of icmpv6 type: expected 0 to 255, or a "
                "name such as destination-unreachable; did you mean 'nd-neighbor-solicit'?"},
        Refused{"ip dscp af11-ef drop", "9: 'af11-ef' is no value of ip dscp: expected 0 to 63, or "
                                        "a name such as cs0"},
        Refused{"meta l4proto tpc drop",
                "14: 'tpc' is no value of meta l4proto: expected 0 to 255, or a name such as ip; "
                "did you mean 'tcp'?"},
        Refused{"meta l4proto ipip drop", "14: 'ipip' is protocol 94 in /etc/protocols, IP in IP "
                                          "is 4: write 94, or 4 or ipencap"},
        Refused{"ether type vlan drop", "12: 'vlan': ether type is the one behind VLAN tags; write "
                                        "`vlan id 0-4095` for any tag"},
        Refused{"ether type 0x88a8 drop", "12: '0x88a8': ether type is the one behind VLAN tags; "
                                          "write `vlan id 0-4095` for any tag"},
        Refused{"tcp flags sny drop",
                "11: 'sny' is no TCP flag: " + kFlags + "; did you mean 'syn'?"},
        Refused{"tcp flags 256 drop", "11: '256' is out of range: tcp flags takes 0x0 to 0xff"},
        Refused{"tcp flags 0 drop", "11: '0': write `tcp flags == 0x0` for a packet without flags"},
        Refused{"tcp flags { syn } drop", "11: a list of one is ambiguous: write `tcp flags syn` "
                                          "(any of) or `tcp flags == syn` (exactly)"},
        Refused{"tcp flags { } drop", "13: the list is empty: " + kFlags},
        Refused{"tcp flags { syn ack } drop", "17: 'ack': expected ',', '|' or '}'"},
        Refused{"tcp flags < syn drop", "11: '<': tcp flags is compared with == or !="},
        Refused{"tcp flags & (syn, ack) == syn drop", "17: ',': expected '|' or ')'"},
        Refused{"tcp flags & syn == ack drop",
                "20: ack is not in the mask syn: this can never be equal"},
        Refused{"tcp flags & 0 == 0 drop", "13: mask 0 leaves no flag to compare"},
        Refused{"tcp flags = syn drop", "11: '=': write `==`, or no operator at all"},
        Refused{"tcp flags != == syn drop", "14: '==': " + kFlags},
        Refused{"tcp flags @set drop", "11: '@set': tcp flags" + kNoSet}));

TEST(ParseRule, RefusesOctetsThatAreNoText) {
    EXPECT_EQ(rule_refusal("drop comment \"\xff\""), "15: octet 0xff is not UTF-8 text");
    EXPECT_EQ(rule_refusal("drop comment \"\xc0\x80\""), "15: octet 0xc0 is not UTF-8 text");
    EXPECT_EQ(rule_refusal("drop comment \"\xed\xa0\x80\""), "15: octet 0xed is not UTF-8 text");
    EXPECT_EQ(rule_refusal("drop comment \"\xe2\x82"), "15: octet 0xe2 is not UTF-8 text");
    EXPECT_EQ(rule_refusal(std::string_view("ip saddr 10.0.0.1\0x drop", 24)),
              "18: octet 0x00 is a control character: take it out");
    EXPECT_EQ(rule_refusal("drop comment \"\x1b[31m\""),
              "15: octet 0x1b is a control character: take it out");
}

} // namespace
} // namespace weir::text
