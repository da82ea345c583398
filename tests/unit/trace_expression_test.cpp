#include <gtest/gtest.h>

#include "trace/expression.h"

namespace weir::trace {
namespace {

// With every operation in brackets, so that precedence can be seen.
std::string spelled(const Expression& e) {
    using Kind = Expression::Kind;
    switch (e.kind) {
    case Kind::kNumber:
        return std::to_string(e.number);
    case Kind::kText:
        return "\"" + e.text + "\"";
    case Kind::kPrefix:
        return e.prefix.to_string();
    case Kind::kName:
        return e.text;
    case Kind::kMember:
        return spelled(e.children[0]) + "->" + e.text;
    case Kind::kIndex:
        return spelled(e.children[0]) + "[" + spelled(e.children[1]) + "]";
    case Kind::kUnary:
        return e.text + spelled(e.children[0]);
    case Kind::kBinary:
        return "(" + spelled(e.children[0]) + " " + e.text + " " + spelled(e.children[1]) + ")";
    case Kind::kCast:
        return "<" + e.text + " " + spelled(e.children[0]) + ">";
    }
    return "";
}

std::string parsed(std::string_view source) {
    const auto expression = parse_expression(source);
    return expression ? spelled(*expression)
                      : std::to_string(expression.error().place.column) + ": " +
                            expression.error().message;
}

TEST(TraceExpression, BindsAsInC) {
    EXPECT_EQ(parsed("a == 1 && b || c"), "(((a == 1) && b) || c)");
    EXPECT_EQ(parsed("a + b * 2 << 1"), "((a + (b * 2)) << 1)");
    EXPECT_EQ(parsed("a & 7 == 3"), "(a & (7 == 3))");
    EXPECT_EQ(parsed("(a & 7) == 3"), "((a & 7) == 3)");
    EXPECT_EQ(parsed("!a && -b < ~c"), "(!a && (-b < ~c))");
    EXPECT_EQ(parsed("1 - 2 - 3"), "((1 - 2) - 3)");
}

TEST(TraceExpression, Members) {
    EXPECT_EQ(parsed("skb->dev->name"), "skb->dev->name");
    EXPECT_EQ(parsed("file->f_path.dentry->d_iname"), "file->f_path->dentry->d_iname");
    EXPECT_EQ(parsed("*p->q[3]"), "*p->q[3]");
    EXPECT_EQ(parsed("a-b"), "(a - b)");
    EXPECT_EQ(parsed("a->b-1>c"), "((a->b - 1) > c)");
}

TEST(TraceExpression, Casts) {
    EXPECT_EQ(parsed("(struct tcp_sock *)sk"), "<tcp_sock sk>");
    EXPECT_EQ(parsed("((struct tcp_sock *)sk)->snd_cwnd + 1"), "(<tcp_sock sk>->snd_cwnd + 1)");
    EXPECT_EQ(parsed("(struct a *)(struct b *)c->d"), "<a <b c->d>>");
    EXPECT_EQ(parsed("(struct 7 *)sk"), "9: '7': expected the name of a structure");
    EXPECT_EQ(parsed("(struct sock)sk"),
              "13: ')': expected '*)': a pointer is made one to a structure");
}

TEST(TraceExpression, NumbersTextsAndAddresses) {
    EXPECT_EQ(parsed("0x1f"), "31");
    EXPECT_EQ(parsed("comm == \"a b\""), "(comm == \"a b\")");
    EXPECT_EQ(parsed("saddr == 10.0.0.0/8"), "(saddr == 10.0.0.0/8)");
    EXPECT_EQ(parsed("saddr != 192.0.2.1 && daddr == 2001:db8::/32"),
              "((saddr != 192.0.2.1) && (daddr == 2001:db8::/32))");
    EXPECT_EQ(parsed("daddr == ::1"), "(daddr == ::1)");
    EXPECT_EQ(parsed("18446744073709551615"), "18446744073709551615");
}

TEST(TraceExpression, WhatIsWrongIsNamedWithItsPlace) {
    EXPECT_EQ(parsed(""), "1: the end: expected a value");
    EXPECT_EQ(parsed("a =="), "5: the end: expected a value");
    EXPECT_EQ(parsed("a b"), "3: 'b': expected an operator, or nothing more");
    EXPECT_EQ(parsed("(a"), "3: the end: expected ')'");
    EXPECT_EQ(parsed("a[1"), "4: the end: expected ']'");
    EXPECT_EQ(parsed("a->1"), "4: '1': expected the name of a member");
    EXPECT_EQ(parsed("a $ b"), "3: '$' has no meaning here");
    EXPECT_EQ(parsed("comm == \"a"),
              "9: the text that begins here has no end: expected another \"");
    EXPECT_EQ(parsed("12ab"), "1: '12ab' is no number: expected decimal digits, 0x and hexadecimal "
                              "ones, an address or a prefix");
    EXPECT_EQ(parsed("18446744073709551616"),
              "1: '18446744073709551616' is no number: expected decimal digits, 0x and hexadecimal "
              "ones, an address or a prefix");
    EXPECT_EQ(parsed(std::string(100, '(')), "65: too many signs and brackets inside one another");
    EXPECT_EQ(parsed(std::string(100, '!') + "a"),
              "65: too many signs and brackets inside one another");
}

TEST(TraceExpression, AListIsNamedByItsWords) {
    const auto list = parse_list("skb->len,  a + 1 ,comm");
    ASSERT_TRUE(list);
    ASSERT_EQ(list->size(), 3U);
    EXPECT_EQ(list->at(0).name, "skb->len");
    EXPECT_EQ(list->at(1).name, "a + 1");
    EXPECT_EQ(list->at(2).name, "comm");
    EXPECT_EQ(parse_list("a,").error().message, "the end: expected a value");
    EXPECT_EQ(parse_list("a;b").error().message, "';' has no meaning here");
}

} // namespace
} // namespace weir::trace
