#include "model/field.h"

#include <gtest/gtest.h>
#include <set>

#include "maps/facts.h"

namespace weir::model {
namespace {

TEST(Fields, EachIsFoundByItsKeyword) {
    std::set<std::string_view> keywords;
    for (const FieldInfo& field : all_fields()) {
        EXPECT_EQ(find_field(field.keyword), field.field) << field.keyword;
        EXPECT_EQ(&info(field.field), &field) << field.keyword;
        keywords.insert(field.keyword);
    }
    EXPECT_EQ(keywords.size(), 24U);
    EXPECT_EQ(find_field("tcp"), std::nullopt);
    EXPECT_EQ(find_field("th dport"), std::nullopt);
}

TEST(Fields, WidthsAndGreatestValuesAgree) {
    for (const FieldInfo& field : all_fields()) {
        EXPECT_EQ(field.fact_hi >= 0, field.bits == 128) << field.keyword;
        EXPECT_GE(field.fact_lo, 0) << field.keyword;
        if (field.bits < 64) {
            EXPECT_EQ(field.maximum, (1ULL << field.bits) - 1) << field.keyword;
        }
    }
    EXPECT_EQ(info(Field::kIpDscp).maximum, 63U);
    EXPECT_EQ(info(Field::kVlanId).maximum, 4095U);
    EXPECT_EQ(info(Field::kTcpDport).maximum, 65535U);
    EXPECT_EQ(info(Field::kEtherSaddr).maximum, 0xffffffffffffU);
}

// The dependencies that `nft --debug=netlink` shows for each field.
TEST(Fields, NeedTheHeadersThatNftAdds) {
    const auto needs = [](Field field) {
        return std::pair<int, int>(info(field).needs.ether_type, info(field).needs.transport);
    };
    using P = std::pair<int, int>;
    for (const Field field : {Field::kIpSaddr, Field::kIpDaddr, Field::kIpDscp, Field::kIpFragOff,
                              Field::kIpProtocol}) {
        EXPECT_EQ(needs(field), P(0x0800, 0));
    }
    for (const Field field : {Field::kIp6Saddr, Field::kIp6Daddr, Field::kIp6Dscp}) {
        EXPECT_EQ(needs(field), P(0x86dd, 0));
    }
    for (const Field field : {Field::kTcpSport, Field::kTcpDport, Field::kTcpFlags}) {
        EXPECT_EQ(needs(field), P(0, 6));
    }
    for (const Field field : {Field::kUdpSport, Field::kUdpDport}) {
        EXPECT_EQ(needs(field), P(0, 17));
    }
    EXPECT_EQ(needs(Field::kIcmpType), P(0x0800, 1));
    EXPECT_EQ(needs(Field::kIcmpCode), P(0x0800, 1));
    EXPECT_EQ(needs(Field::kIcmpv6Type), P(0x86dd, 58));
    EXPECT_EQ(needs(Field::kIcmpv6Code), P(0x86dd, 58));
    for (const Field field : {Field::kIifname, Field::kEtherSaddr, Field::kEtherType,
                              Field::kVlanId, Field::kMetaL4proto}) {
        EXPECT_EQ(needs(field), P(0, 0));
    }
}

TEST(Fields, OnlyAddressesAndPortsHaveSets) {
    EXPECT_EQ(info(Field::kIpSaddr).set_fact, FACT_SADDR_SETS);
    EXPECT_EQ(info(Field::kIp6Daddr).set_fact, FACT_DADDR_SETS);
    EXPECT_EQ(info(Field::kTcpSport).set_fact, FACT_SPORT_SETS);
    EXPECT_EQ(info(Field::kUdpDport).set_fact, FACT_DPORT_SETS);
    int fields_with_sets = 0;
    for (const FieldInfo& field : all_fields()) {
        fields_with_sets += field.set_fact >= 0 ? 1 : 0;
    }
    EXPECT_EQ(fields_with_sets, 8);
}

} // namespace
} // namespace weir::model
