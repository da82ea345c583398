#include <algorithm>
#include <cstring>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "compile/images.h"

namespace weir::compile {
namespace {

using Octets = std::vector<unsigned char>;

// What stands in the map, octet by octet.
template <typename T>
Octets octets(const T& value) {
    Octets bytes(sizeof value);
    std::memcpy(bytes.data(), &value, sizeof value);
    return bytes;
}

model::Service service(const std::string& key, model::Slot slot,
                       std::vector<model::Backend> backends = {}) {
    model::Service s;
    s.key = *model::ServiceKey::parse(key);
    s.slot = slot;
    s.backends = std::move(backends);
    s.buckets = model::ring_buckets(s.backends.size(), 0);
    return s;
}

model::Backend member(const char* address, std::uint32_t weight, model::Handle handle,
                      model::Slot slot) {
    return {*IpAddr::parse(address), weight, handle, slot};
}

Balancer compiled_balancer(const model::Config& config) {
    auto balancer = compile_balancer(config, {});
    EXPECT_TRUE(balancer) << balancer.error().message();
    return balancer ? *std::move(balancer) : Balancer{};
}

// nullptr: none has that key.
const ::service* find(const Balancer& balancer, std::uint64_t vip_hi, std::uint64_t vip_lo,
                      std::uint32_t key) {
    const auto& places = balancer.services.places;
    const auto found = std::ranges::find_if(places, [&](const ::service& each) {
        return (each.flags & SERVICE_HERE) != 0 && each.vip_hi == vip_hi &&
               each.vip_lo == vip_lo && each.key == key;
    });
    return found == places.end() ? nullptr : &*found;
}

constexpr std::uint64_t kVip = 0xcb00710a; // 203.0.113.10
constexpr std::uint64_t kVip6Hi = 0x20010db800000000, kVip6Lo = 0x10;

TEST(BalancerImage, ServicesAndVipsHaveEntries) {
    model::Config config;
    config.balancer.services = {service("203.0.113.10:80/tcp", 0),
                                service("[2001:db8::10]:443/udp", 1),
                                service("203.0.113.10:any/udp", 2)};
    const Balancer b = compiled_balancer(config);

    EXPECT_EQ(std::ranges::count_if(b.services.places,
                                    [](const auto& each) { return each.flags & SERVICE_HERE; }),
              5); // and each VIP once
    const auto* tcp = find(b, 0, kVip, SERVICE_KEY(80, 6, 4));
    const auto* quic = find(b, kVip6Hi, kVip6Lo, SERVICE_KEY(443, 17, 6));
    const auto* any = find(b, 0, kVip, SERVICE_KEY(0, 17, 4));
    const auto* vip = find(b, 0, kVip, SERVICE_KEY(0, 0, 4));
    ASSERT_TRUE(tcp && quic && any && vip && find(b, kVip6Hi, kVip6Lo, SERVICE_KEY(0, 0, 6)));
    EXPECT_EQ(tcp->slot, 0U);
    EXPECT_EQ(quic->slot, 1U);
    EXPECT_EQ(any->slot, 2U);
    EXPECT_EQ(vip->slot, model::kNoSlot);
    EXPECT_EQ(b.any_port, 1U);
}

TEST(BalancerImage, FlowsOfEachServiceAreHashedApart) {
    model::Config config;
    config.balancer.services = {service("203.0.113.10:80/tcp", 0),
                                service("203.0.113.10:443/tcp", 1)};
    const Balancer b = compiled_balancer(config);
    config.balancer.seed = Seed{1};
    const Balancer other = compiled_balancer(config);
    const auto salt = [](const Balancer& of, std::uint32_t port) {
        return find(of, 0, kVip, SERVICE_KEY(port, 6, 4))->salt;
    };
    EXPECT_NE(salt(b, 80), salt(b, 443));
    EXPECT_NE(salt(b, 80), salt(other, 80)) << "unknown to who does not know the seed";
}

TEST(BalancerImage, ServiceKnowsItsRingAndItsMode) {
    model::Config config;
    config.balancer.services = {service("203.0.113.10:80/tcp", 5,
                                        {member("10.0.2.2", 1, 31, 8), member("10.0.2.3", 0, 32, 9),
                                         member("10.0.2.4", 3, 33, 10)}),
                                service("203.0.113.11:80/tcp", 6)};
    config.balancer.services[0].buckets = 512;
    config.balancer.services[1].buckets = RING_PAGE;
    config.balancer.services[1].forward = model::Forward::kL2Dsr;
    const Balancer b = compiled_balancer(config);

    EXPECT_EQ(find(b, 0, kVip, SERVICE_KEY(80, 6, 4))->ring_mask, 511U);
    EXPECT_EQ(find(b, 0, kVip, SERVICE_KEY(80, 6, 4))->forward, static_cast<__u32>(FORWARD_IPIP));
    EXPECT_EQ(find(b, 0, kVip + 1, SERVICE_KEY(80, 6, 4))->forward,
              static_cast<__u32>(FORWARD_L2_DSR));

    ASSERT_EQ(b.rings.size(), 2U);
    EXPECT_EQ(b.rings[0].service, 5U);
    const auto& ring = b.rings[0].owner;
    ASSERT_EQ(ring.size(), 512U);
    EXPECT_EQ(std::count(ring.begin(), ring.end(), 9U), 0); // weight 0
    EXPECT_NEAR(std::count(ring.begin(), ring.end(), 8U), 512 / 4.0, 2);
    EXPECT_NEAR(std::count(ring.begin(), ring.end(), 10U), 512 * 3 / 4.0, 2);
    EXPECT_EQ(b.rings[1].service, 6U);
    EXPECT_EQ(b.rings[1].owner,
              std::vector<std::uint32_t>(RING_PAGE, static_cast<std::uint32_t>(BUCKET_NONE)));
}

TEST(BalancerImage, BackendsAsTheMapHasThem) {
    model::Config config;
    config.balancer.services = {
        service("203.0.113.10:80/tcp", 5, {member("10.0.2.2", 1, 31, 8)}),
        service("[2001:db8::10]:80/tcp", 6, {member("2001:db8:1::2", 0, 32, 9)})};
    const Balancer b = compiled_balancer(config);

    ASSERT_EQ(b.backends.size(), 2U); // one of weight 0 keeps its flows
    EXPECT_EQ(b.backends[0].first, 8U);
    const Octets addr4{10, 0, 2, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    EXPECT_EQ(octets(b.backends[0].second.addr), addr4);
    EXPECT_EQ(b.backends[0].second.handle, 31U);
    EXPECT_EQ(b.backends[0].second.service, 5U);
    EXPECT_EQ(b.backends[0].second.family, 4U);
    EXPECT_EQ(b.backends[0].second.sum, 0x40U + 0x0440 + 0x000a + 0x0202)
        << "flags, TTL and protocol, destination: words of a little-endian machine";
    EXPECT_EQ(b.backends[1].second.sum, 0U);
    EXPECT_EQ(b.backends[1].first, 9U);
    const Octets addr6{0x20, 1, 0x0d, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2};
    EXPECT_EQ(octets(b.backends[1].second.addr), addr6);
    EXPECT_EQ(b.backends[1].second.handle, 32U);
    EXPECT_EQ(b.backends[1].second.service, 6U);
    EXPECT_EQ(b.backends[1].second.family, 6U);
}

TEST(BalancerImage, SameBackendsMakeTheSameRing) {
    model::Config config;
    config.balancer.services = {
        service("203.0.113.10:80/tcp", 0,
                {member("10.0.2.2", 1, 1, 0), member("10.0.2.3", 1, 2, 1)}),
        service("203.0.113.10:443/tcp", 1,
                {member("10.0.2.3", 1, 3, 1), member("10.0.2.2", 1, 4, 0)})};
    const Balancer b = compiled_balancer(config);
    EXPECT_EQ(b.rings[0].owner, b.rings[1].owner);
}

TEST(Settings, OfAnEmptyConfiguration) {
    const auto images = compile({}, {});
    ASSERT_TRUE(images);
    generation expected{};
    for (auto& roots : expected.root) {
        std::ranges::fill(roots, FW_POLICY_ACCEPT);
    }
    expected.idle = 838; // ticks of 2^30 ns in 900 s
    expected.class_action[CLASS_ARP] = ACTION_ACCEPT;
    expected.class_action[CLASS_NEIGHBOUR_DISCOVERY] = ACTION_ACCEPT;
    expected.class_action[CLASS_ROUTING_HEADER] = ACTION_DROP;
    EXPECT_EQ(octets(images->settings), octets(expected));
}

TEST(Settings, TunnelSourcesInNetworkOrder) {
    model::Config config;
    config.balancer.source = *Prefix::parse("10.99.0.0/18");
    config.balancer.source6 = *Prefix::parse("fd00:99::/60");
    config.balancer.gateway = *MacAddr::parse("02:00:00:00:00:01");
    const auto images = compile(config, {});
    ASSERT_TRUE(images);
    const generation& g = images->settings;

    EXPECT_EQ(octets(g.source4), (Octets{10, 99, 0, 0}));
    EXPECT_EQ(octets(g.source4_host), (Octets{0, 0, 0x3f, 0xff}));
    EXPECT_EQ(octets(g.source6), (Octets{0xfd, 0, 0, 0x99, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}));
    EXPECT_EQ(octets(g.source6_host),
              (Octets{0, 0, 0, 0, 0, 0, 0, 0x0f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}));
    EXPECT_EQ(g.has_source, HAS_SOURCE4 | HAS_SOURCE6 | SOURCE6_OF_FLOW);
    EXPECT_EQ(octets(g.gateway), (Octets{2, 0, 0, 0, 0, 1}));
    EXPECT_EQ(g.has_gateway, 1);
}

// Of an address in the set `blocked`.
model::Rule drops(model::Field field, model::Slot slot) {
    model::Rule rule;
    rule.matches.emplace_back();
    rule.matches[0].field = field;
    rule.matches[0].set = "blocked";
    rule.verdict = model::Verdict::kDrop;
    rule.slot = slot;
    return rule;
}

TEST(Settings, ASourceAddressHasNoHostBits) {
    model::Config config;
    config.balancer.source6 = *Prefix::parse("fd00:99::1");
    const auto images = compile(config, {});
    ASSERT_TRUE(images);
    EXPECT_EQ(octets(images->settings.source6_host), Octets(16));
    EXPECT_EQ(octets(images->settings.source6),
              (Octets{0xfd, 0, 0, 0x99, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}));
    EXPECT_EQ(images->settings.has_source, HAS_SOURCE6);
    EXPECT_EQ(images->settings.has_gateway, 0);
}

TEST(Settings, CountServicesAndNameSetLookUps) {
    model::Config config;
    config.balancer.services = {service("203.0.113.10:any/tcp", 0),
                                service("203.0.113.10:any/udp", 1),
                                service("203.0.113.10:80/tcp", 2)};
    config.class_actions[CLASS_FRAGMENT] = ACTION_DROP;
    config.sets["blocked"] = {"blocked", model::SetType::kIpv4Addr, "", {}};
    config.egress.rules = {drops(model::Field::kIpDaddr, 0)};
    const auto images = compile(config, {});
    ASSERT_TRUE(images);
    EXPECT_EQ(images->settings.services, 3U);
    EXPECT_EQ(images->settings.any_port, 2U);
    EXPECT_EQ(images->settings.rare_facts, static_cast<__u32>(RARE_DADDR_SETS));
    EXPECT_EQ(images->settings.class_action[CLASS_FRAGMENT], ACTION_DROP);
    EXPECT_THAT(images->settings.root[CHAIN_INGRESS], testing::Each(FW_POLICY_ACCEPT));
    EXPECT_THAT(images->settings.root[CHAIN_EGRESS],
                testing::ElementsAreArray(images->firewall.egress));
    EXPECT_THAT(images->firewall.egress, testing::Contains(testing::Lt(FW_POLICY_DROP)));
}

TEST(Settings, RefusalComesThrough) {
    model::Config config;
    config.sets["blocked"] = {"blocked", model::SetType::kIpv4Addr, "", {}};
    config.ingress.rules = {drops(model::Field::kIpDaddr, 0), drops(model::Field::kIpSaddr, 1)};
    model::Limits limits;
    limits.nodes = 1;
    const auto refused = compile(config, limits);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().message(), "6 nodes of compiled rules: the limit is 1; to raise it: "
                                         "`weir unload`, then `weir load --max-nodes 8`");
}

} // namespace
} // namespace weir::compile
