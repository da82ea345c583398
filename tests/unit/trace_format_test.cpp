#include <gtest/gtest.h>

#include "kernel/tracefs.h"
#include "trace/source.h"

namespace weir {
namespace {

using Shape = kernel::TracepointField::Shape;

constexpr const char* kFormat = R"(name: kfree_skb
ID: 1400
format:
	field:unsigned short common_type;	offset:0;	size:2;	signed:0;
	field:int common_pid;	offset:4;	size:4;	signed:1;

	field:void * skbaddr;	offset:8;	size:8;	signed:0;
	field:unsigned short protocol;	offset:24;	size:2;	signed:0;
	field:enum skb_drop_reason reason;	offset:28;	size:4;	signed:0;
	field:char comm[16];	offset:32;	size:16;	signed:0;
	field:__data_loc char[] name;	offset:48;	size:4;	signed:0;
	field:u8 addr[6];	offset:52;	size:6;	signed:0;
	field:long ret;	offset:64;	size:8;	signed:1;

print fmt: "skbaddr=%p", REC->skbaddr
)";

TEST(TracepointFormat, FieldsWithoutWhatEveryRecordHas) {
    const auto fields = kernel::parse_format(kFormat);
    ASSERT_EQ(fields.size(), 7U);
    EXPECT_EQ(fields[0].name, "skbaddr");
    EXPECT_EQ(fields[0].type, "void *");
    EXPECT_EQ(fields[0].offset, 8U);
    EXPECT_EQ(fields[0].size, 8U);
    EXPECT_EQ(fields[2].name, "reason");
    EXPECT_EQ(fields[2].type, "enum skb_drop_reason");
    EXPECT_EQ(fields[3].name, "comm");
    EXPECT_EQ(fields[3].shape, Shape::kText);
    EXPECT_EQ(fields[4].name, "name");
    EXPECT_EQ(fields[4].shape, Shape::kDynamicText);
    EXPECT_EQ(fields[5].shape, Shape::kOctets);
    EXPECT_TRUE(fields[6].is_signed);
    EXPECT_EQ(fields[6].shape, Shape::kNumber);
}

TEST(TracepointFormat, NothingOfNothing) {
    EXPECT_TRUE(kernel::parse_format("").empty());
    EXPECT_TRUE(kernel::parse_format("field:int a").empty());
}

TEST(TraceSource, WordsOfEachKind) {
    const auto point = trace::parse_source("tp:skb:kfree_skb");
    ASSERT_TRUE(point);
    EXPECT_EQ(point->kind, trace::Source::Kind::kTracepoint);
    EXPECT_EQ(point->subsystem, "skb");
    EXPECT_EQ(point->name, "kfree_skb");
    EXPECT_EQ(trace::parse_source("fn:vfs_*")->name, "vfs_*");
    EXPECT_EQ(trace::parse_source("sysret:openat")->kind, trace::Source::Kind::kSyscallReturn);
}

TEST(TraceSource, WrongWordsSayWhatWasExpected) {
    const auto said = [](const char* words) {
        return trace::parse_source(words).error().message();
    };
    EXPECT_EQ(said("vfs_read"),
              "'vfs_read' is no source: expected fn:FUNCTION, ret:FUNCTION, tp:SUBSYSTEM:EVENT, "
              "raw:TRACEPOINT, sys:CALL, sysret:CALL, u:FILE:SYMBOL, uret:FILE:SYMBOL, "
              "usdt:FILE:PROVIDER:NAME, xdp:PROG@entry|exit or tc:PROG@entry|exit");
    EXPECT_EQ(said("sysrt:openat").substr(0, 28), "'sysrt:openat' is no source:");
    EXPECT_TRUE(said("sysrt:openat").ends_with("; did you mean 'sysret'?"));
    EXPECT_EQ(said("tp:skb"), "'tp:skb': expected tp:SUBSYSTEM:EVENT, as tp:skb:kfree_skb");
    EXPECT_EQ(said("u:malloc"), "'u:malloc': expected u:FILE:SYMBOL, as u:libc.so.6:malloc");
    EXPECT_EQ(said("fn:"), "'fn:': a name is missing behind the colon");
}

} // namespace
} // namespace weir
