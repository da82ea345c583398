#include "compile/images.h"
#include "prog/busy_node.h"
#include "prog/packets.h"
#include "support/verdict.h"

#include <cstring>
#include <random>

// The fast lane and the general lane say the same of every packet: verdict, frame, counters.
namespace weir::test {
namespace {

class Lanes : public Packets {
protected:
    void SetUp() override {
        Packets::SetUp();
        apply(kBusyNode);
    }

    // What a packet can leave behind.
    struct Traces {
        hook_count hook;
        std::vector<std::uint64_t> counts; // of rules, services and backends
        bool operator==(const Traces& other) const {
            return std::memcmp(&hook, &other.hook, sizeof hook) == 0 && counts == other.counts;
        }
    };

    static Traces traces(hook at) {
        Traces all{.hook = weir().books(weir().slot_of(0), at), .counts = {}};
        const auto add = [&](const auto& count) {
            std::uint64_t words[sizeof count / sizeof(std::uint64_t)];
            std::memcpy(words, &count, sizeof count);
            all.counts.insert(all.counts.end(), std::begin(words), std::end(words));
        };
        for (const model::Chain* chain : {&weir().config().ingress, &weir().config().egress}) {
            for (const model::Rule& each : chain->rules) {
                add(must(weir().node().rule_hits(each.slot)));
            }
        }
        for (const model::Service& each : weir().config().balancer.services) {
            add(must(weir().node().service_hits(each.slot)));
            for (const model::Backend& backend : each.backends) {
                add(must(weir().node().backend_hits(backend.slot)));
            }
        }
        return all;
    }

    // What the run added.
    template <typename Run>
    static std::pair<Answer, Traces> traced(hook at, const Run& run) {
        const Traces before = traces(at);
        const Answer answer = run();
        Traces after = traces(at);
        auto* now = reinterpret_cast<std::uint64_t*>(&after.hook);
        const auto* then = reinterpret_cast<const std::uint64_t*>(&before.hook);
        for (std::size_t i = 0; i < sizeof after.hook / sizeof *now; ++i) {
            now[i] -= then[i];
        }
        for (std::size_t i = 0; i < after.counts.size(); ++i) {
            after.counts[i] -= before.counts[i];
        }
        return {answer, after};
    }

    void expect_alike(const Octets& frame) {
        for (const auto program :
             {kernel::Program::kIngress, kernel::Program::kTcIngress, kernel::Program::kTcEgress}) {
            SCOPED_TRACE(std::string(kernel::name(program)) + " " + hex(frame));
            const hook at = hook_of(program);
            if (!try_run(program, frame, {})) {
                continue; // some kernels make no skb of it
            }
            const auto fast = traced(at, [&] { return weir().run(program, frame, {}); });
            const auto general = traced(at, [&] { return weir().run_general(program, frame, {}); });
            EXPECT_EQ(fast.first.action, general.first.action);
            EXPECT_EQ(hex(fast.first.output), hex(general.first.output));
            EXPECT_TRUE(fast.second == general.second) << "counted differently";
            forget(at); // these runs are not in the fixture's own account
        }
    }
};

std::vector<Octets> common_frames() {
    std::vector<Octets> frames;
    const auto add = [&](const auto& ip, const auto& transport) {
        for (const std::size_t size : {0, 1, 6, 7, 100, 1400}) {
            frames.push_back(frame(ip, transport, payload(size)));
            frames.push_back(frame(Vlan{.id = 5, .priority = 3}, ip, transport, payload(size)));
            frames.push_back(frame(Vlan{.id = 500, .tpid = 0x88a8}, ip, transport, payload(size)));
            frames.push_back(padded(frame(ip, transport, payload(size))));
        }
    };
    for (const std::uint8_t flags : {int{kSyn}, int{kAck}, kSyn | kAck, kSyn | kFin, kRst | kAck}) {
        for (const std::uint16_t port : {80, 443, 8080}) {
            const Tcp tcp{.dport = port, .flags = flags};
            add(Ipv4{.tos = 0xb8, .dont_fragment = true}, tcp);
            add(Ipv4{.src = "10.1.2.3"}, tcp);
            add(Ipv4{.dst = "192.0.2.99"}, tcp);
            add(Ipv6{.traffic_class = 0xb9, .flow_label = 0x12345}, tcp);
            add(Ipv6{.src = "fd00::1"}, tcp);
        }
    }
    add(Ipv4{}, Tcp{.options = Octets(12)});
    add(Ipv6{}, Tcp{.options = Octets(40)});
    add(Ipv4{}, Udp{});
    add(Ipv4{.ttl = 1}, Udp{.sport = 1, .dport = 65535});
    add(Ipv6{}, Udp{});
    add(Ipv6{.hop_limit = 1}, Udp{.dport = 443});
    return frames;
}

TEST_F(Lanes, CommonPackets) {
    for (const Octets& each : common_frames()) {
        expect_alike(each);
    }
}

// Without rules and services the fast lane does not even fill in a packet's facts.
TEST_F(Lanes, CommonPacketsThatThePolicyDecides) {
    for (const char* policy : {"accept", "drop"}) {
        apply(std::string("firewall: {ingress: {policy: ") + policy +
              "}, egress: {policy: " + policy + "}}");
        for (const Octets& each : common_frames()) {
            expect_alike(each);
            expect_alike(first(each.size() - 1, each));
        }
    }
}

// Few rules, of what the fast lane reads anyway: it decides by a list of its own.
TEST_F(Lanes, CommonPacketsThatAShortListDecides) {
    for (const char* policy : {"accept", "drop"}) {
        std::string chain = "{policy: " + std::string(policy) + ", rules: [";
        for (const char* rule :
             {"ip saddr 10.1.0.0/16 counter", "tcp dport { 80, 8000-8063 } tcp flags syn drop",
              "tcp flags & (syn | fin) == syn | fin accept",
              "ip daddr 192.0.2.99 tcp sport 1024-65535 accept", "udp dport != 443 accept",
              "ip6 saddr fd00::/9 drop",
              "ip saddr 198.48.0.0/13 ip daddr 203.0.113.10 tcp dport 8080 drop",
              "ip6 daddr 2001:db8::/65 counter", "ip6 saddr 2001:db8::1 tcp dport 8080 accept",
              "tcp dport 443 counter", "tcp dport 443 accept"}) {
            chain += "'" + std::string(rule) + "', ";
        }
        chain += "]}";
        apply("firewall: {ingress: " + chain + ", egress: " + chain + "}");
        const auto images = must(compile::compile(weir().config(), weir().node().limits()));
        for (const packet_kind kind :
             {KIND_IPV4_TCP, KIND_IPV4_UDP, KIND_IPV6_TCP, KIND_IPV6_UDP}) {
            EXPECT_NE(images.firewall.ingress_lists[kind], 0U) << kind;
            EXPECT_NE(images.firewall.egress_lists[kind], 0U) << kind;
        }
        for (const Octets& each : common_frames()) {
            expect_alike(each);
        }
    }
}

TEST_F(Lanes, PacketsThatAreNearlyCommon) {
    for (const auto& ip :
         {Ipv4{.total_length = 19}, Ipv4{.total_length = 20}, Ipv4{.total_length = 27},
          Ipv4{.total_length = 39}, Ipv4{.total_length = 1500}, Ipv4{.total_length = 0},
          Ipv4{.more_fragments = true}, Ipv4{.frag_offset = 3}, Ipv4{.reserved_flag = true},
          Ipv4{.version = 6}, Ipv4{.header_words = 4}, Ipv4{.options = Octets(4)}}) {
        expect_alike(frame(ip, Tcp{}, payload("x")));
        expect_alike(frame(ip, Udp{}, payload("x")));
    }
    for (const auto& ip :
         {Ipv6{.payload_length = 0}, Ipv6{.payload_length = 7}, Ipv6{.payload_length = 8},
          Ipv6{.payload_length = 19}, Ipv6{.payload_length = 1500}, Ipv6{.version = 4}}) {
        expect_alike(frame(ip, Tcp{}, payload("x")));
        expect_alike(frame(ip, Udp{}, payload("x")));
    }
    for (const std::uint8_t words : {0, 4, 5, 6, 15}) {
        expect_alike(frame(Ipv4{}, Tcp{.data_offset = words}, payload("x")));
        expect_alike(frame(Ipv6{}, Tcp{.data_offset = words}, payload("x")));
    }
    for (const std::uint16_t length : {0, 7, 8, 9, 10, 65535}) {
        expect_alike(frame(Ipv4{}, Udp{.length = length}, payload("x")));
        expect_alike(frame(Ipv6{}, Udp{.length = length}, payload("x")));
    }
    expect_alike(frame(Vlan{.id = 1}, Vlan{.id = 2}, Ipv4{}, Tcp{}));
    expect_alike(frame(Vlan{.id = 0}, Ipv4{}, Tcp{}));
    expect_alike(frame(Ipv4{}, Icmp{}));
    expect_alike(frame(Ipv6{}, Icmpv6{}));
    expect_alike(frame(Ipv6{}, HopByHop{}, Tcp{}));
    expect_alike(frame(Arp{}));
}

TEST_F(Lanes, FramesThatEndEarly) {
    for (const Octets& whole :
         {frame(Ipv4{}, Tcp{}, payload(4)), frame(Ipv4{}, Udp{}, payload(4)),
          frame(Vlan{}, Ipv4{}, Tcp{}, payload(4)), frame(Ipv6{}, Tcp{}, payload(4)),
          frame(Vlan{}, Ipv6{}, Udp{}, payload(4))}) {
        for (std::size_t length = 14; length < whole.size(); ++length) {
            expect_alike(first(length, whole));
        }
    }
}

TEST_F(Lanes, DamagedPackets) {
    std::mt19937 random(15);
    const std::vector<Octets> frames = common_frames();
    for (int i = 0; i < 2000; ++i) {
        Octets damaged = frames[random() % frames.size()];
        for (unsigned flips = 1 + random() % 3; flips > 0; --flips) {
            damaged[12 + random() % std::min<std::size_t>(damaged.size() - 12, 60)] ^=
                static_cast<std::uint8_t>(1U << random() % 8);
        }
        expect_alike(damaged);
    }
}

} // namespace
} // namespace weir::test
