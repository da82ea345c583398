#include <gtest/gtest.h>
#include <random>

#include "compile/images.h"
#include "maps/flow_hash.h"

namespace weir::compile {
namespace {

service entry(std::uint64_t hi, std::uint64_t lo, std::uint32_t key, std::uint32_t slot) {
    service one{};
    one.vip_hi = hi;
    one.vip_lo = lo;
    one.key = key;
    one.flags = SERVICE_HERE;
    one.slot = slot;
    return one;
}

// As packets search it: dataplane/lb/service.h. NO_SLOT: nowhere.
std::uint32_t find(const ServiceTable& table, std::uint64_t hi, std::uint64_t lo,
                   std::uint32_t key) {
    const auto mask = static_cast<std::uint32_t>(table.places.size() - 1);
    const std::uint64_t hash = service_hash(hi, lo, key, table.seed);
    const auto is = [&](const service& at) {
        return at.vip_hi == hi && at.vip_lo == lo && at.key == key;
    };
    const service& first = table.places[service_first(hash, mask)];
    if (is(first)) {
        return first.slot;
    }
    const service& second = table.places[service_second(hash, mask)];
    return (first.flags & SERVICE_MOVED) != 0 && is(second) ? second.slot : model::kNoSlot;
}

TEST(ServiceTable, EveryServiceIsFoundAndNothingElse) {
    for (const std::uint32_t count : {1U, 2U, 100U, 1024U, 20000U}) {
        std::mt19937_64 random(count);
        std::vector<service> entries;
        for (std::uint32_t i = 0; i < count; i++) {
            const bool v6 = i % 3 == 0;
            entries.push_back(entry(v6 ? 0x20010db800000000 : 0, v6 ? i : 0xcb007100 + i / 50,
                                    SERVICE_KEY(80 + i % 50, 6, v6 ? 6 : 4), i));
        }
        const auto table = service_table(entries, service_places(count));
        ASSERT_TRUE(table) << table.error().message();
        for (const service& each : entries) {
            EXPECT_EQ(find(*table, each.vip_hi, each.vip_lo, each.key), each.slot);
            EXPECT_EQ(find(*table, each.vip_hi, each.vip_lo, each.key ^ 0x10000000),
                      model::kNoSlot);
        }
        for (int i = 0; i < 1000; i++) {
            EXPECT_EQ(find(*table, random(), random(), SERVICE_KEY(80, 6, 4)), model::kNoSlot);
        }
    }
}

// Addresses as operators choose them: regular, and different in few bits.
TEST(ServiceTable, RegularAddressesHavePlaces) {
    std::vector<service> entries;
    const auto add = [&](std::uint64_t hi, std::uint64_t lo, std::uint32_t port, int family) {
        entries.push_back(entry(hi, lo, SERVICE_KEY(port, 6, family),
                                static_cast<std::uint32_t>(entries.size())));
    };
    for (std::uint32_t i = 0; i < 16; ++i) {
        for (std::uint32_t port = 80; port < 96; ++port) {
            add(0, 0x0a000001 + (i << 16), port, 4);                  // 10.i.0.1
            add(0, 0x0a000001 + i, port << 8 & 0xffff, 4);
            add(0xfd00000000000000 + (std::uint64_t{i} << 48), 1, port, 6); // fd0i::1
            add(0x20010db800000000, (std::uint64_t{i + 1} << 48) + 1, port, 6);
            add(0, std::uint64_t{i} << 32 | 1, port, 6);
        }
    }
    const auto table = service_table(entries, service_places(1024));
    ASSERT_TRUE(table) << table.error().message();
    for (const service& each : entries) {
        EXPECT_EQ(find(*table, each.vip_hi, each.vip_lo, each.key), each.slot);
    }
}

TEST(ServiceTable, TheSameServicesMakeTheSameTable) {
    const std::vector<service> entries{entry(0, 1, SERVICE_KEY(80, 6, 4), 3),
                                       entry(0, 1, SERVICE_KEY(0, 0, 4), model::kNoSlot)};
    const auto one = service_table(entries, 64), two = service_table(entries, 64);
    ASSERT_TRUE(one && two);
    EXPECT_EQ(one->seed, two->seed);
    EXPECT_EQ(find(*one, 0, 1, SERVICE_KEY(80, 6, 4)), 3U);
}

TEST(ServiceTable, WithoutServicesThereIsNone) {
    EXPECT_TRUE(service_table({}, 64)->places.empty());
}

TEST(ServiceTable, TheSameServiceTwiceIsRefused) {
    const auto refused = service_table({entry(0, 1, 2, 3), entry(0, 1, 2, 4), entry(0, 1, 2, 5)}, 64);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().message(),
              "no table of 64 places holds these 3 services and VIPs: two of them are the same");
}

} // namespace
} // namespace weir::compile
