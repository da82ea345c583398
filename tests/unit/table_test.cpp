#include <gtest/gtest.h>

#include "output/output.h"

namespace weir::output {
namespace {

TEST(Table, AlignsColumnsByTheirWidestCell) {
    Table table({{"rule"}, {"packets", Align::kRight}});
    table.row({"tcp dport 22 drop", "3"});
    table.row({"accept", "120000"});

    EXPECT_EQ(table.to_string(), "rule               packets\n"
                                 "tcp dport 22 drop        3\n"
                                 "accept              120000\n");
}

TEST(Table, EndsNoLineWithABlank) {
    Table table({{"name"}, {"comment"}});
    table.row({"blocked", ""});
    table.row({"web", "front doors"});

    EXPECT_EQ(table.to_string(), "name     comment\n"
                                 "blocked\n"
                                 "web      front doors\n");
}

TEST(Table, CountsCharactersAndNotOctets) {
    Table table({{"comment"}, {"n", Align::kRight}});
    table.row({"Müller", "1"});
    table.row({"Mueller", "2"});

    EXPECT_EQ(table.to_string(), "comment  n\n"
                                 "Müller   1\n"
                                 "Mueller  2\n");
}

TEST(Table, FillsMissingCells) {
    Table table({{"a"}, {"b"}, {"c"}});
    table.row({"1"});

    EXPECT_EQ(table.to_string(), "a  b  c\n1\n");
}

TEST(Table, WithoutRowsIsItsTitles) {
    const Table table({{"service"}, {"flows", Align::kRight}});

    EXPECT_TRUE(table.empty());
    EXPECT_EQ(table.to_string(), "service  flows\n");
}

} // namespace
} // namespace weir::output
