#include "model/track.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <utility>
#include <vector>

#include "compile/images.h"
#include "compile/ring_change.h"
#include "maps/flow_hash.h"

// The balancer's algorithm against a model that remembers every flow: random histories of changes,
// connections, reused ports, removed backends, floods and time.
namespace weir::compile {
namespace {

constexpr std::uint32_t kBuckets = 128;
constexpr std::uint64_t kTick = std::uint64_t{1} << FLOW_TICK_SHIFT;
constexpr std::uint32_t kIdle = 300; // ticks
constexpr std::uint8_t kSyn = 0x02, kAck = 0x10, kFinAck = 0x11;

// One service, its ring and its flow table, with a clock of its own.
class Balancer {
public:
    Balancer() : flows_(9 * TRACK_LINES / 4) {
        generation_.idle = kIdle;
        generation_.backend_table = 0;
    }

    void add_backend(std::uint32_t index) {
        if (backends_.size() <= index) {
            backends_.resize(index + 1);
        }
        backends_[index] = {.addr = {}, .handle = index + 1, .service = 0, .family = 4, .sum = 0};
    }
    void remove_backend(std::uint32_t index) { backends_[index] = {}; }

    // As Rings::change() of ctl/kernel does it.
    void change(const std::map<std::uint32_t, std::uint32_t>& weights) {
        std::vector<RingMember> members;
        for (const auto& [index, weight] : weights) {
            members.push_back({index, weight, IpAddr::v4(0x0a000000 + index)});
        }
        const RingClock clock{.warm = is_warm()};
        if (clock.warm) {
            ring_ = settle_ring(ring_, clock, std::vector<bool>(ring_.size(), true));
        }
        const auto exists = [&](std::uint32_t i) { return backends_[i].handle != 0; };
        const auto after = change_ring(ring_, clock, maglev(members, 0, kBuckets), exists);
        if (!std::equal(after.begin(), after.end(), ring_.begin(), ring_.end(),
                        [](const bucket& a, const bucket& b) {
                            return a.current == b.current && a.base == b.base;
                        })) {
            ring_ = after;
            state_.changed = now();
        }
    }
    void settle() {
        std::vector<bool> foreign(ring_.size());
        for (const flow_line& line : flows_) {
            for (const flow& entry : line.flow) {
                if (entry.fingerprint > FLOW_BUSY && lives(entry)) {
                    const std::size_t at = entry.fingerprint >> 32 & (kBuckets - 1);
                    foreign[at] = foreign[at] || ring_[at].current != entry.backend;
                }
            }
        }
        ring_ = settle_ring(ring_, {.warm = is_warm()}, foreign);
    }

    std::uint32_t packet(std::uint32_t client, std::uint16_t port, std::uint8_t flags) {
        packet_.saddr_lo = client;
        packet_.sport = port;
        packet_.dport = 80;
        packet_.ether_type = 0x0800;
        packet_.transport = flags == 0 ? 17 : 6;
        packet_.tcp_flags = flags;
        const std::uint64_t hash = flow_hash(0, client, std::uint32_t{port} << 16 | 80, 0x5eed);
        track_world world{flows_.data(), &state_, backends_.data(),
                          static_cast<__u32>(backends_.size()), clock_};
        packets++;
        const bucket& at = ring_[hash >> 32 & (kBuckets - 1)];
        looked_up += !at_rest(at);
        return track_one(&world, &generation_, &packet_, hash, at).backend;
    }

    void pass(double ticks) { clock_ += static_cast<std::uint64_t>(ticks * kTick); }
    std::uint32_t now() const { return static_cast<std::uint32_t>(clock_ >> FLOW_TICK_SHIFT); }
    bool all_at_rest() const { return std::all_of(ring_.begin(), ring_.end(), at_rest); }
    std::uint64_t overflow() const { return state_.overflow; }

    std::uint64_t packets = 0, looked_up = 0;

private:
    bool is_warm() const {
        return now() - state_.changed >= HOT_TICKS + kIdle &&
               static_cast<std::int32_t>(state_.closing_until - now()) <= 0;
    }
    bool lives(const flow& entry) const {
        const std::uint32_t patience = (entry.stamp & FLOW_CLOSED) != 0 ? CLOSED_TICKS
                                       : (entry.stamp & FLOW_UDP) != 0  ? UDP_TICKS
                                                                        : kIdle;
        return now() - (entry.stamp >> FLOW_STAMP_SHIFT) <= patience;
    }

    std::vector<flow_line> flows_;
    std::vector<backend> backends_;
    std::vector<bucket> ring_;
    service_state state_{};
    generation generation_{};
    ::packet packet_{};
    std::uint64_t clock_ = 10'000 * kTick;
};

// A history of one service; counts what the design forbids.
class History {
public:
    explicit History(std::uint32_t seed) : random_(seed) {
        for (std::uint32_t i = 0; i < 4; i++) {
            add();
        }
        change();
    }

    void tick(double changes_a_tick) {
        balancer.pass(1);
        if (below(5) == 0) {
            balancer.settle();
        }
        if (chance(changes_a_tick)) {
            alter();
            change();
        }
        for (int i = 0; i < 2; i++) {
            open();
        }
        for (auto at = flows_.begin(); at != flows_.end();) {
            at = speak(*at) ? std::next(at) : flows_.erase(at);
        }
    }
    // Spoofed packets, each of another flow, once or twice.
    void flood(std::uint32_t packets, std::uint8_t flags, int times) {
        for (std::uint32_t i = 0; i < packets; i++) {
            for (int k = 0; k < times; k++) {
                balancer.packet(0xc0000000 + static_cast<std::uint32_t>(random_()),
                                static_cast<std::uint16_t>(random_()), flags);
            }
        }
    }
    void change() { balancer.change(weights_); }
    void drain_one() { weights_[pick()] = 0; }

    Balancer balancer;
    std::uint64_t opened = 0, moved = 0, disagreed = 0;
    bool udp = false; // flows are UDP exchanges
    std::uint32_t ports = 60;

private:
    struct Flow {
        std::uint32_t backend;
        double last, end, gap; // ticks
    };
    using Name = std::pair<std::uint32_t, std::uint16_t>; // client, port

    std::uint32_t below(std::uint32_t bound) {
        return static_cast<std::uint32_t>(random_() % bound);
    }
    bool chance(double share) { return static_cast<double>(random_() % 1'000'000) < share * 1e6; }
    template <typename... Values>
    double one_of(Values... values) {
        const double all[] = {static_cast<double>(values)...};
        return all[below(sizeof...(values))];
    }
    std::uint32_t pick() {
        return std::next(weights_.begin(), below(static_cast<std::uint32_t>(weights_.size())))
            ->first;
    }

    void add() {
        balancer.add_backend(next_);
        weights_[next_++] = 1;
    }
    // Adds, drains, weighs anew or removes.
    void alter() {
        const std::uint32_t kind = below(100);
        if (kind < 30 || weights_.size() < 3) {
            add();
        } else if (kind < 55) {
            drain_one();
        } else if (kind < 80) {
            weights_[pick()] = 1 + below(3);
        } else {
            const std::uint32_t gone = pick();
            weights_.erase(gone);
            balancer.remove_backend(gone);
            std::erase_if(flows_, [&](const auto& each) { return each.second.backend == gone; });
        }
    }

    void open() {
        const Name name{below(64), static_cast<std::uint16_t>(below(ports))}; // they are used again
        if (flows_.contains(name)) {
            return;
        }
        const std::uint32_t to = balancer.packet(name.first, name.second, udp ? 0 : kSyn);
        const std::uint32_t then = balancer.packet(name.first, name.second, udp ? 0 : kAck);
        if (to == BUCKET_NONE) {
            return; // every backend is drained
        }
        opened++;
        if (to != then) {
            disagreed++;
            return;
        }
        const double now = balancer.now();
        const double gap = udp ? one_of(1, 10, 25) : one_of(1, 20, 120, 280);
        flows_[name] = {to, now, now + one_of(5, 50, 400, 1500), gap};
    }
    // False: the flow is over.
    bool speak(std::pair<const Name, Flow>& flow) {
        const double now = balancer.now();
        auto& [name, of] = flow;
        if (now - of.last < of.gap) {
            return true;
        }
        const bool ends = now >= of.end;
        const std::uint8_t flags = udp ? 0 : ends ? kFinAck : kAck;
        if (balancer.packet(name.first, name.second, flags) != of.backend) {
            moved++;
            return false;
        }
        of.last = now;
        return !ends;
    }

    std::mt19937_64 random_;
    std::map<std::uint32_t, std::uint32_t> weights_;
    std::map<Name, Flow> flows_;
    std::uint32_t next_ = 0;
};

class TrackModel : public testing::TestWithParam<double> {};

// With a change every few minutes, and with many that overlap in every stage.
TEST_P(TrackModel, NoLivingConnectionMoves) {
    std::uint64_t opened = 0;
    for (std::uint32_t seed = 1; seed <= 10; seed++) {
        History history(seed);
        for (int i = 0; i < 6000; i++) {
            history.tick(GetParam());
        }
        EXPECT_EQ(history.moved, 0U) << "seed " << seed;
        EXPECT_EQ(history.disagreed, 0U) << "seed " << seed;
        EXPECT_LE(history.balancer.overflow(), 2U) << "lines that are full by chance";
        opened += history.opened;
    }
    EXPECT_GT(opened, 50'000U);
}
INSTANTIATE_TEST_SUITE_P(ChangesATick, TrackModel, testing::Values(0.002, 0.01, 0.05));

TEST(TrackModel, AUdpExchangeKeepsItsBackend) {
    for (std::uint32_t seed = 1; seed <= 10; seed++) {
        History history(seed);
        history.udp = true;
        history.ports = 12; // whoever finds no room in the table may move
        for (int i = 0; i < 3000; i++) {
            history.tick(0.01);
        }
        EXPECT_EQ(history.moved, 0U) << "seed " << seed;
        EXPECT_EQ(history.disagreed, 0U) << "seed " << seed;
        EXPECT_EQ(history.balancer.overflow(), 0U);
    }
}

TEST(TrackModel, WithoutChangesNothingIsLookedUp) {
    History history(1);
    for (int i = 0; i < 1000; i++) {
        history.tick(0);
    }
    EXPECT_EQ(history.balancer.looked_up, 0U);
    EXPECT_GT(history.balancer.packets, 1000U);
}

TEST(TrackModel, TheRingComesToRestAfterAChange) {
    History history(1);
    for (int i = 0; i < 500; i++) {
        history.tick(0);
    }
    history.drain_one();
    history.change();
    EXPECT_FALSE(history.balancer.all_at_rest());
    // Hot, closing, and then until the last flow of the drained backend has ended.
    int ticks = 0;
    while (!history.balancer.all_at_rest() && ticks < 5000) {
        history.tick(0);
        history.balancer.settle();
        ticks++;
    }
    EXPECT_GT(ticks, HOT_TICKS + static_cast<int>(kIdle));
    EXPECT_LT(ticks, 5000);
    EXPECT_EQ(history.moved, 0U);
}

// Of several times the table's size, at rest and in every stage after a change.
TEST(TrackModel, FloodsBreakNoConnection) {
    constexpr std::uint32_t kFlood = 4 * TRACK_LINES * FLOWS_A_LINE;
    for (const std::uint8_t flags : {kSyn, kAck}) {
        for (const int times : {1, 2}) {
            SCOPED_TRACE(testing::Message() << "flags " << int{flags} << ", " << times << " times");
            History history(7);
            for (int i = 0; i < 300; i++) {
                history.tick(0);
            }
            history.flood(kFlood, flags, times);
            EXPECT_EQ(history.balancer.looked_up, 0U);
            history.drain_one();
            history.change();
            for (int i = 0; i < 600; i++) {
                if (i % 100 == 50) {
                    history.flood(kFlood, flags, times);
                }
                history.tick(0);
            }
            EXPECT_EQ(history.moved, 0U);
            EXPECT_GT(history.balancer.overflow(), 0U);
        }
    }
}

} // namespace
} // namespace weir::compile
