#include <csignal>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <map>

#include "kernel/bpf.h"
#include "kernel/tables.h"
#include "support.h"

namespace weir::kernel {
namespace {

class Publish : public PinsTest {
protected:
    void SetUp() override {
        PinsTest::SetUp();
        if (!IsSkipped()) {
            load_weir();
        }
    }

    static std::uint64_t publish(Node& node, std::uint32_t mark,
                                 const model::FreshSlots& fresh = {}) {
        const auto number = node.publish(marked_images(mark), fresh, std::to_string(mark));
        EXPECT_EQ(message_of(number), "");
        return number.value_or(0);
    }
};

TEST_F(Publish, FirstGenerationIsOneAndLive) {
    Node node = open_node();

    EXPECT_EQ(publish(node, 7), 1U);

    const auto kept = node.generations();
    ASSERT_EQ(message_of(kept), "");
    ASSERT_EQ(kept->size(), 1U);
    EXPECT_TRUE((*kept)[0].live);
    EXPECT_EQ((*kept)[0].number, 1U);
    EXPECT_EQ(mixed_up(node, (*kept)[0], 7), "");
}

TEST_F(Publish, KeepsTheGenerationBefore) {
    Node node = open_node();
    for (std::uint32_t mark = 1; mark <= 5; ++mark) {
        EXPECT_EQ(publish(node, mark), mark);
    }

    const auto kept = node.generations();

    ASSERT_EQ(message_of(kept), "");
    ASSERT_EQ(kept->size(), 2U);
    EXPECT_EQ(mixed_up(node, (*kept)[0], 5), "");
    EXPECT_EQ(mixed_up(node, (*kept)[1], 4), "");
    EXPECT_FALSE((*kept)[1].live);
}

TEST_F(Publish, RollbackTurnsBackOnce) {
    Node node = open_node();
    publish(node, 1);
    publish(node, 2);

    const auto number = node.rollback(marked_images(1).balancer, "1");

    ASSERT_EQ(message_of(number), "");
    EXPECT_EQ(*number, 1U);
    const auto kept = node.generations();
    ASSERT_EQ(kept->size(), 1U);
    EXPECT_EQ(mixed_up(node, (*kept)[0], 1), "");
    EXPECT_EQ(message_of(node.rollback({}, "")),
              "no earlier generation is kept: nothing to roll back to");
}

TEST_F(Publish, AfterARollbackNumbersGoOnAndTheDiscardedIsGone) {
    Node node = open_node();
    publish(node, 1);
    publish(node, 2);
    publish(node, 3);
    ASSERT_EQ(*node.rollback(marked_images(2).balancer, "2"), 2U);

    EXPECT_EQ(publish(node, 9), 4U);

    const auto kept = node.generations();
    ASSERT_EQ(kept->size(), 2U);
    EXPECT_EQ(mixed_up(node, (*kept)[0], 9), "");
    EXPECT_EQ((*kept)[1].number, 2U);
    EXPECT_EQ(mixed_up(node, (*kept)[1], 2), "");
    EXPECT_EQ(*node.rollback(marked_images(2).balancer, "2"), 2U);
}

// Ways that packets know are of a generation by its number.
TEST_F(Publish, NoNumberIsGivenTwiceThoughAChangeFailed) {
    Node node = open_node();
    publish(node, 1);
    publish(node, 2);
    ASSERT_EQ(*node.rollback(marked_images(1).balancer, "1"), 1U);
    auto too_many = marked_images(3);
    too_many.balancer.backends[0].first = node.limits().backends;
    ASSERT_NE(message_of(node.publish(too_many, {}, "3")), "");

    EXPECT_EQ(publish(node, 4), 3U);
}

TEST_F(Publish, SharesTablesThatDidNotChange) {
    Node node = open_node();
    publish(node, 1);
    auto images = marked_images(1);
    images.sets.v4.front().second.sets = 2;

    ASSERT_EQ(message_of(node.publish(images, {}, "2")), "");

    const auto kept = *node.generations();
    const generation &now = kept[0].record, &before = kept[1].record;
    EXPECT_NE(now.set4_table, before.set4_table);
    EXPECT_EQ(now.fw_image, before.fw_image);
    EXPECT_EQ(now.set6_table, before.set6_table);
    EXPECT_EQ(now.set_port_table, before.set_port_table);
    EXPECT_EQ(now.service_table, before.service_table);
    EXPECT_EQ(now.backend_table, before.backend_table);
}

TEST_F(Publish, AShorterTableIsNotTakenForTheLongerOne) {
    Node node = open_node();
    publish(node, 1);
    auto images = marked_images(1);
    images.firewall.nodes.pop_back();

    ASSERT_EQ(message_of(node.publish(images, {}, "2")), "");

    const auto kept = *node.generations();
    EXPECT_NE(kept[0].record.fw_image, kept[1].record.fw_image);
}

TEST_F(Publish, WhatIsEmptyHasNoTable) {
    Node node = open_node();
    ASSERT_EQ(message_of(node.publish({}, {}, "")), "");

    const generation record = (*node.generations())[0].record;

    EXPECT_EQ(record.set4_table, NO_TABLE);
    EXPECT_EQ(record.set6_table, NO_TABLE);
    EXPECT_EQ(record.set_port_table, NO_TABLE);
}

TEST_F(Publish, AChangedRingMovesAndTheOtherStays) {
    Node node = open_node();
    auto images = marked_images(1);
    service first{};
    first.vip_lo = 1;
    first.key = SERVICE_KEY(80, 6, 4);
    first.flags = SERVICE_HERE;
    first.slot = 1;
    first.ring_mask = RING_PAGE - 1;
    service second = first;
    second.key = SERVICE_KEY(443, 6, 4);
    second.slot = 2;
    images.balancer.services = *compile::service_table(
        {first, second}, compile::service_places(small_limits().services));
    images.balancer.rings.push_back({2, std::vector<std::uint32_t>(RING_PAGE, 5)});
    const auto ring_of = [&](std::uint32_t slot) {
        return service_in(node, (*node.generations())[0].record, slot).value().ring;
    };
    ASSERT_EQ(message_of(node.publish(images, {}, "1")), "");
    const auto ring_1 = ring_of(1), ring_2 = ring_of(2);
    EXPECT_NE(ring_1, ring_2);

    for (std::uint32_t owner = 6; owner < 20; ++owner) {
        const auto before = ring_of(2);
        images.balancer.rings[1].owner[0] = owner;
        ASSERT_EQ(message_of(node.publish(images, {}, "2")), "");
        EXPECT_EQ(ring_of(1), ring_1);
        EXPECT_NE(ring_of(2), before) << "packets of the generation before still read it";
        EXPECT_LT(ring_of(2), 4U * RING_PAGE) << "pages that nobody names are used again";
    }
}

TEST_F(Publish, FreshSlotsStartAtZeroOthersGoOn) {
    Node node = open_node();
    const std::vector<rule_count> seven(possible_cpus(), rule_count{7, 700});
    for (const std::uint32_t slot : {4U, 5U}) {
        ASSERT_EQ(bpf_map_update_elem(node.map("rule_counts"), &slot, seven.data(), BPF_ANY), 0);
    }

    publish(node, 1, {.rules = {4}, .services = {}, .backends = {}});

    EXPECT_EQ(node.rule_hits(4)->packets, 0U);
    EXPECT_EQ(node.rule_hits(5)->packets, 7U * possible_cpus());
    EXPECT_EQ(node.rule_hits(5)->bytes, 700U * possible_cpus());
    ASSERT_EQ(message_of(node.reset_rule_hits(5)), "");
    EXPECT_EQ(node.rule_hits(5)->packets, 0U);
}

TEST_F(Publish, TooManyElementsLeaveTheOldGenerationInForce) {
    Node node = open_node();
    publish(node, 1);
    auto images = marked_images(2);
    images.sets.v4.clear();
    for (std::uint32_t i = 0; i <= small_limits().set_elements; ++i) {
        images.sets.v4.push_back({{.prefix_len = 32, .addr = i}, {.sets = 1}});
    }

    EXPECT_EQ(message_of(node.publish(images, {}, "2")),
              "building set4_tables: filling set4_tables: more than its 128 entries");

    const auto kept = *node.generations();
    ASSERT_EQ(kept.size(), 1U);
    EXPECT_EQ(mixed_up(node, kept[0], 1), "");
    EXPECT_EQ(publish(node, 3), 2U);
}

TEST_F(Publish, ALongStateComesBackWhole) {
    Node node = open_node();
    std::string text;
    while (text.size() < 3UL * STATE_CHUNK) {
        text += std::to_string(text.size()) + "\n";
    }

    for (const std::size_t length : {STATE_CHUNK - 9UL, STATE_CHUNK - 8UL, text.size()}) {
        ASSERT_EQ(message_of(node.publish({}, {}, text.substr(0, length))), "");
        EXPECT_EQ((*node.generations())[0].state, text.substr(0, length));
    }
}

TEST_F(Publish, FlowsAreListedByService) {
    Node node = open_node();
    publish(node, 1);
    constexpr std::uint32_t kBackend = 0, kLines = 20;
    timespec clock{};
    ::clock_gettime(CLOCK_MONOTONIC_COARSE, &clock);
    const auto now = static_cast<std::uint32_t>(
        (static_cast<std::uint64_t>(clock.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(clock.tv_nsec)) >>
        FLOW_TICK_SHIFT);
    for (std::uint32_t line = 0; line < kLines; ++line) {
        flow_line written{};
        written.flow[0] = {.fingerprint = 1000 + line,
                           .backend = kBackend,
                           .stamp = now << FLOW_STAMP_SHIFT};
        written.flow[1] = {.fingerprint = 2000 + line, .backend = 4, .stamp = now << FLOW_STAMP_SHIFT};
        ASSERT_EQ(bpf_map_update_elem(node.map("flows"), &line, &written, BPF_ANY), 0);
    }

    const auto all = node.flows(1, 0);

    ASSERT_EQ(message_of(all), "");
    ASSERT_EQ(all->size(), kLines) << "no backend has the index of the others";
    EXPECT_EQ(all->front().backend, 1U);
    EXPECT_EQ(node.flows(1, 8)->size(), 8U);
    EXPECT_TRUE(node.flows(2, 0)->empty());
}

[[noreturn]] void publish_once(const Pins& pins, std::uint32_t mark) {
    const auto lock = Lock::take(pins, Lock::Mode::kExclusive);
    auto node = Node::open(pins);
    const bool done =
        lock && node && node->publish(marked_images(mark), {}, std::to_string(mark)).has_value();
    ::_exit(done ? 0 : 1);
}

// Whether it is about to make a call of bpf(2) that may change something, not only read it.
bool enters_a_change(pid_t traced) {
    constexpr std::array<std::uint64_t, 5> kReading = {BPF_OBJ_GET, BPF_OBJ_GET_INFO_BY_FD,
                                                       BPF_MAP_GET_FD_BY_ID, BPF_MAP_LOOKUP_ELEM,
                                                       BPF_MAP_LOOKUP_BATCH};
    __ptrace_syscall_info info{};
    return ::ptrace(PTRACE_GET_SYSCALL_INFO, traced, sizeof info, &info) > 0 &&
           info.op == PTRACE_SYSCALL_INFO_ENTRY && info.entry.nr == SYS_bpf &&
           std::find(kReading.begin(), kReading.end(), info.entry.args[0]) == kReading.end();
}

// How a child ends that publishes `mark`, and is killed as it enters its change number `change`,
// from 0: the kernel skips that call. Between two of them nothing changes that a packet can see.
int publish_killed_at(const Pins& pins, std::uint32_t mark, unsigned change) {
    const pid_t child = ::fork();
    if (child == 0) {
        if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) {
            ::_exit(2);
        }
        ::raise(SIGSTOP);
        publish_once(pins, mark);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    ::ptrace(PTRACE_SETOPTIONS, child, nullptr, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
    while (WIFSTOPPED(status)) {
        const int stop = WSTOPSIG(status);
        const bool ours = stop == SIGSTOP || stop == (SIGTRAP | 0x80); // else a crash, to go on
        if (enters_a_change(child) && change-- == 0) {
            ::kill(child, SIGKILL);
        } else {
            ::ptrace(PTRACE_SYSCALL, child, nullptr, ours ? 0L : long{stop});
        }
        ::waitpid(child, &status, 0);
    }
    return status;
}

TEST_F(Publish, SurvivesBeingKilledAnywhere) {
    constexpr std::uint32_t kOld = 1000, kNew = 7;
    std::map<std::string, unsigned> left;
    std::uint64_t last = 0;
    {
        Node node = open_node();
        last = publish(node, kOld);
    }
    int status = SIGKILL;
    for (unsigned change = 0; status == SIGKILL; ++change) {
        status = publish_killed_at(pins(), kNew, change);

        SCOPED_TRACE("killed at change " + std::to_string(change));
        const auto lock = Lock::take(pins(), Lock::Mode::kExclusive);
        Node node = open_node();
        const auto kept = node.generations();
        ASSERT_EQ(message_of(kept), "");
        for (const Kept& one : *kept) {
            ASSERT_EQ(mixed_up(node, one, static_cast<std::uint32_t>(std::stoul(one.state))), "")
                << "generation " << one.number;
        }
        ++left[kept->front().state];
        ASSERT_EQ(kept->front().number, last + (kept->front().state == std::to_string(kNew)));
        last = publish(node, kOld);
        ASSERT_EQ(mixed_up(node, node.generations()->front(), kOld), "");
    }
    // The last one was not killed any more: each change has had its kill.
    EXPECT_EQ(status, 0);
    EXPECT_GE(left[std::to_string(kOld)], 8U) << "a table each for what the images hold";
    EXPECT_GE(left[std::to_string(kNew)], 1U);
}

TEST_F(Publish, TwoAtOnceTakeTurns) {
    constexpr int kEach = 10;
    const auto publish_some = [this](std::uint32_t mark) {
        for (int i = 0; i < kEach; ++i) {
            const auto lock = Lock::take(pins(), Lock::Mode::kExclusive);
            auto node = Node::open(pins());
            if (!lock || !node || !node->publish(marked_images(mark), {}, std::to_string(mark))) {
                ::_exit(1);
            }
        }
        ::_exit(0);
    };
    std::vector<pid_t> children;
    for (const std::uint32_t mark : {11U, 22U}) {
        children.push_back(::fork());
        if (children.back() == 0) {
            publish_some(mark);
        }
    }
    for (const pid_t child : children) {
        int status = 0;
        ::waitpid(child, &status, 0);
        EXPECT_EQ(status, 0);
    }

    const Node node = open_node();
    const auto kept = *node.generations();
    EXPECT_EQ(kept[0].number, 2U * kEach);
    for (const Kept& one : kept) {
        EXPECT_EQ(mixed_up(node, one, static_cast<std::uint32_t>(std::stoul(one.state))), "");
    }
}

} // namespace
} // namespace weir::kernel
