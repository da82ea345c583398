#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include "kernel/attach.h"
#include "kernel/test_run.h"
#include "support.h"

namespace weir::kernel {
namespace {

// ARP: accepted without rules.
std::vector<std::uint8_t> arp_request() {
    std::vector<std::uint8_t> frame(60);
    std::fill_n(frame.begin(), 6, 0xff);
    frame[12] = 0x08;
    frame[13] = 0x06;
    return frame;
}

// An IPv4 UDP packet that the rules decide.
std::vector<std::uint8_t> udp() {
    std::vector<std::uint8_t> frame = {
        0x02, 0,    0, 0,  0, 1, 0x02, 0, 0,  0,  0, 2, 0x08, 0x00,                    // Ethernet
        0x45, 0,    0, 28, 0, 0, 0,    0, 64, 17, 0, 0, 10,   0,    0, 1, 10, 0, 0, 2, // IPv4
        0x30, 0x39, 0, 53, 0, 8, 0,    0};                                             // UDP
    frame.resize(60);
    return frame;
}

compile::Images drop_all() {
    compile::Images images;
    images.firewall.nodes = {
        {.mask = 0, .first = 0, .span = FW_DROP, .word_yes = 0, .no = FW_NO_SLOT},
        {.mask = 0, .first = 0, .span = FW_DROP, .word_yes = 0, .no = 5}};
    for (auto& roots : images.settings.root) {
        std::ranges::fill(roots, 1);
    }
    images.settings.class_action[CLASS_ARP] = ACTION_ACCEPT;
    return images;
}

Result<TestRun> explain(const Node& node, Program program, const std::vector<std::uint8_t>& frame,
                        std::uint32_t ifindex) {
    WEIR_TRY(const auto explainer, Explainer::open(node, program));
    return explainer.run(frame, ifindex);
}

class Explain : public NetnsTest {
protected:
    void SetUp() override {
        NetnsTest::SetUp();
        if (!IsSkipped()) {
            load_weir();
            Node node = open_node();
            ASSERT_EQ(message_of(node.publish(drop_all(), {}, "")), "");
        }
    }
};

TEST_F(Explain, NamesTheRuleAndCountsNothing) {
    const Node node = open_node();

    const auto run = explain(node, Program::kIngress, udp(), 0);

    ASSERT_EQ(message_of(run), "");
    EXPECT_EQ(run->action, static_cast<std::uint32_t>(XDP_DROP));
    EXPECT_EQ(run->why.verdict, static_cast<std::uint32_t>(VERDICT_DROP));
    EXPECT_EQ(run->why.reason, static_cast<std::uint32_t>(REASON_RULE));
    EXPECT_EQ(run->why.rule, 5U);
    EXPECT_EQ(run->output, udp());
    EXPECT_EQ(node.rule_hits(5)->packets, 0U);
    EXPECT_EQ(node.hook_hits(0, HOOK_XDP)->received.packets, 0U);
}

TEST_F(Explain, PassesArp) {
    const auto run = explain(open_node(), Program::kIngress, arp_request(), 0);

    ASSERT_EQ(message_of(run), "");
    EXPECT_EQ(run->action, static_cast<std::uint32_t>(XDP_PASS));
    EXPECT_EQ(run->why.reason, static_cast<std::uint32_t>(REASON_ARP));
    EXPECT_EQ(run->why.rule, FW_NO_SLOT);
}

TEST_F(Explain, TcEgressDecidesToo) {
    const auto run = explain(open_node(), Program::kTcEgress, udp(), 0);

    ASSERT_EQ(message_of(run), "");
    EXPECT_EQ(run->action, static_cast<std::uint32_t>(TC_ACT_SHOT));
    EXPECT_EQ(run->why.rule, 5U);
}

TEST_F(Explain, AnInterfaceCanBeNamed) {
    const std::uint32_t ifindex = find_interface("wk0")->index;

    const auto run = explain(open_node(), Program::kIngress, udp(), ifindex);

    ASSERT_EQ(message_of(run), "");
    EXPECT_EQ(run->action, static_cast<std::uint32_t>(XDP_DROP));
    EXPECT_EQ(
        message_of(explain(open_node(), Program::kIngress, udp(), 9999)),
        "running the program: no interface number 9999 in this network namespace, or the frame "
        "of 60 octets does not suit it");
}

TEST_F(Explain, AShortFrameIsRefused) {
    const std::vector<std::uint8_t> frame(13);

    const auto run = explain(open_node(), Program::kIngress, frame, 0);

    EXPECT_EQ(message_of(run), "a frame of 13 octets: the kernel's test run takes no less than an "
                               "Ethernet header, 14");
    EXPECT_EQ(run.error().fault(), Fault::kUsage);
}

TEST_F(Explain, AJumboFrameIsTaken) {
    auto frame = udp();
    frame.resize(9014);

    const auto run = explain(open_node(), Program::kIngress, frame, 0);

    ASSERT_EQ(message_of(run), "");
    EXPECT_EQ(run->output.size(), 9014U);
}

} // namespace
} // namespace weir::kernel
