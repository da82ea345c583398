#include <gtest/gtest.h>

#include "trace/usdt_arguments.h"

namespace weir::trace {
namespace {

// "record read8+40 read_user4-16 sign4"
std::string steps_of(const PlacedArgument& argument) {
    std::string text;
    for (const trace_step& each : argument.steps) {
        text += text.empty() ? "" : " ";
        switch (each.operation) {
        case TRACE_CONSTANT:
            text += std::to_string(each.value);
            break;
        case TRACE_RECORD:
            text += "record";
            break;
        case TRACE_READ:
            text += "read" + std::to_string(each.size) + "+" + std::to_string(each.value);
            break;
        case TRACE_READ_USER:
            text += "user" + std::to_string(each.size) + "+" + std::to_string(each.value);
            break;
        case TRACE_ADD:
            text += "add";
            break;
        case TRACE_MULTIPLY:
            text += "multiply";
            break;
        case TRACE_SIGN:
            text += "sign" + std::to_string(each.size);
            break;
        default:
            text += "?";
        }
    }
    return text;
}

// rbp is at 32 of struct pt_regs, rbx at 40, rax at 80, rdi at 112, rsp at 152.
TEST(UsdtArguments, AreFetchedFromWhereTheNoteSays) {
    const std::pair<const char*, const char*> cases[] = {
        {"8@%rdi", "record read8+112"},
        {"-4@%eax", "record read4+80 sign4"},
        {"1@%bl", "record read1+40"},
        {"2@%r8w", "record read2+72"},
        {"4@$5", "5"},
        {"-8@$-9", "-9"},
        {"8@-16(%rbp)", "0 record read8+32 add user8+-16"},
        {"-2@(%rsp)", "0 record read8+152 add user2+0 sign2"},
        {"4@8(%rax,%rbx,4)", "0 record read8+80 add record read8+40 4 multiply add user4+8"},
        {"8@(,%rbx,8)", "0 record read8+40 8 multiply add user8+0"},
    };
    for (const auto& [words, steps] : cases) {
        const auto arguments = parse_usdt_arguments(words);
        ASSERT_EQ(arguments.size(), 1U) << words;
        EXPECT_EQ(steps_of(arguments[0]), steps) << words;
        EXPECT_EQ(arguments[0].unknown, "") << words;
    }
}

TEST(UsdtArguments, SeveralHaveSizesAndSigns) {
    const auto arguments = parse_usdt_arguments("-4@%eax 8@%rdi  1@$0");

    ASSERT_EQ(arguments.size(), 3U);
    EXPECT_TRUE(arguments[0].is_signed);
    EXPECT_EQ(arguments[0].size, 4);
    EXPECT_FALSE(arguments[1].is_signed);
    EXPECT_EQ(arguments[1].size, 8);
    EXPECT_EQ(arguments[2].size, 1);
}

TEST(UsdtArguments, WhatNoStepFetchesIsNamed) {
    for (const char* words : {"8f@%xmm0", "4@counter(%rip)", "8@8(%rip)", "3@%eax", "8@%eas", "@",
                              "8@", "8", "8@()", "8@(%rax", "8@(%rax,%rbx,2,3)", "8@$", "8@$x"}) {
        const auto arguments = parse_usdt_arguments(words);
        ASSERT_EQ(arguments.size(), 1U) << words;
        EXPECT_EQ(arguments[0].unknown, words);
        EXPECT_TRUE(arguments[0].steps.empty());
    }
    EXPECT_TRUE(parse_usdt_arguments("").empty());
    EXPECT_TRUE(parse_usdt_arguments("  ").empty());
}

} // namespace
} // namespace weir::trace
