#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include <bpf/libbpf.h>

#include "kernel/attach.h"
#include "kernel/bpf.h"
#include "kernel/dispatcher.h"
#include "kernel/probe_bpf.h"
#include "support.h"

namespace weir::kernel {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

constexpr std::uint32_t kXdp = 1U << HOOK_XDP;
constexpr std::uint32_t kTcIngress = 1U << HOOK_TC_INGRESS;
constexpr std::uint32_t kTcEgress = 1U << HOOK_TC_EGRESS;

// "wk0 xdp native single", one for each hook.
std::vector<std::string> lines(const std::vector<Attachment>& all) {
    static constexpr const char* kNames[] = {"xdp", "tc-ingress", "tc-egress"};
    std::vector<std::string> text;
    for (const Attachment& one : all) {
        text.push_back(one.device + " " + kNames[one.at] + " " +
                       (one.missing ? "missing" : one.mode) +
                       (one.sharing.empty() ? "" : " " + one.sharing));
    }
    return text;
}

// Answers `return verdict`: somebody else's program.
Fd foreign_program(bpf_prog_type type, const char* name, int verdict) {
    const bpf_insn code[] = {
        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = verdict},
        {.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0}};
    return Fd(bpf_prog_load(type, name, "GPL", code, 2, nullptr));
}

std::uint32_t id_of(const Fd& program) {
    return program_info(program.get())->id;
}

class Attach : public NetnsTest {
protected:
    void SetUp() override {
        NetnsTest::SetUp();
        if (!IsSkipped()) {
            load_weir();
            node_ = open_node();
        }
    }

    Node& node() { return *node_; }
    Result<AttachReport> attach(const AttachRequest& request) {
        return kernel::attach(node(), request);
    }
    std::vector<std::string> listed() { return lines(*attachments(node())); }
    iface only_entry() {
        const auto entries = node().ifaces();
        EXPECT_EQ(entries->size(), 1U);
        return entries->front().second;
    }

private:
    std::optional<Node> node_;
};

TEST_F(Attach, NativeByLibxdpAndTcIngressByDefault) {
    const auto report = attach({.device = "wk0"});

    ASSERT_EQ(message_of(report), "");
    EXPECT_THAT(report->warnings, IsEmpty());
    ASSERT_EQ(report->attached.size(), 2U);
    EXPECT_EQ(report->attached[0].mode, "native");
    // Kernels that refuse freplace leave libxdp no dispatcher.
    EXPECT_THAT(report->attached[0].sharing, testing::AnyOf("dispatcher", "single"));
    EXPECT_THAT(report->attached[0].others, IsEmpty());
    EXPECT_NE(report->attached[0].program_id, 0U);
    EXPECT_THAT(report->attached[1].mode, testing::AnyOf("tcx", "clsact"));

    const iface entry = only_entry();
    EXPECT_EQ(entry.slot, 1U);
    EXPECT_EQ(entry.hooks, kXdp | kTcIngress);
    EXPECT_EQ(entry.role, static_cast<std::uint32_t>(ROLE_BALANCER));
    EXPECT_EQ(entry.name_hi, 0x776b300000000000U); // "wk0"
    EXPECT_EQ(entry.name_lo, 0U);
}

TEST_F(Attach, CountsRealPackets) {
    ASSERT_EQ(message_of(node().publish({}, {}, "")), "");
    ASSERT_EQ(message_of(attach({.device = "wk0"})), "");

    shell("ip addr add 198.51.100.1/24 dev wk1 && ip neigh add 198.51.100.2 lladdr "
          "02:00:00:00:00:02 dev wk1 && /usr/bin/python3 -c \"import socket; "
          "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); "
          "[s.sendto(b'x', ('198.51.100.2', 9)) for _ in range(5)]\"");

    const auto hits = node().hook_hits(only_entry().slot, HOOK_XDP);
    ASSERT_EQ(message_of(hits), "");
    EXPECT_GE(hits->received.packets, 5U);
}

TEST_F(Attach, TwiceTheSameChangesNothing) {
    const auto first = attach({.device = "wk0"});
    ASSERT_EQ(message_of(first), "");

    const auto second = attach({.device = "wk0"});

    ASSERT_EQ(message_of(second), "");
    ASSERT_EQ(second->attached.size(), 2U);
    EXPECT_EQ(second->attached[0].program_id, first->attached[0].program_id);
    EXPECT_EQ(second->attached[1].program_id, first->attached[1].program_id);
}

TEST_F(Attach, GenericWhenAsked) {
    ASSERT_EQ(message_of(attach({.device = "wk0", .mode = XdpMode::kGeneric, .hooks = kXdp})), "");

    EXPECT_THAT(listed(), ElementsAre(StartsWith("wk0 xdp generic ")));
    EXPECT_EQ(message_of(attach({.device = "wk0", .mode = XdpMode::kNative, .hooks = kXdp})),
              "wk0: XDP is attached already, in generic mode: run `weir detach wk0 --hook xdp` "
              "first");
}

TEST_F(Attach, AutoFallsBackToGenericWithAWarning) {
    const auto report = attach({.device = "lo", .hooks = kXdp});

    ASSERT_EQ(message_of(report), "");
    EXPECT_EQ(report->attached[0].mode, "generic");
    EXPECT_THAT(
        report->warnings,
        ElementsAre("lo: driver 'unknown' has no native XDP: generic mode, which is slower"));
}

TEST_F(Attach, NativeIsRefusedWhereTheDriverHasNone) {
    EXPECT_EQ(message_of(attach({.device = "lo", .mode = XdpMode::kNative, .hooks = kXdp})),
              "lo: driver 'unknown' has no native XDP: use `--mode generic`, or `--mode auto`");
    EXPECT_THAT(listed(), IsEmpty());
    EXPECT_TRUE(node().ifaces()->empty());
}

TEST_F(Attach, ExclusiveIsALinkOfThePinnedProgram) {
    const auto report = attach({.device = "wk0", .exclusive = true, .hooks = kXdp});

    ASSERT_EQ(message_of(report), "");
    EXPECT_THAT(listed(), ElementsAre("wk0 xdp native link"));
    EXPECT_EQ(report->attached[0].program_id, (*node().programs())[0].id);
    const auto again = attach({.device = "wk0", .hooks = kXdp});
    if (try_freplace().works && !try_changing_freplace().works) {
        // Where a link may stand in for a dispatcher, it may have done so.
        ASSERT_EQ(message_of(again), "");
        EXPECT_THAT(again->warnings,
                    ElementsAre("wk0: XDP is attached already, by a link: no other XDP program can "
                                "share the interface; to try to share it run `weir detach wk0 "
                                "--hook xdp` first"));
    } else {
        EXPECT_EQ(message_of(again), "wk0: XDP is attached already, exclusively: run `weir detach "
                                     "wk0 --hook xdp` first");
    }
    ASSERT_EQ(message_of(detach(node(), "wk0", 0)), "");
    EXPECT_EQ(find_interface("wk0")->xdp_program, 0U);
}

TEST_F(Attach, AllHooksAndOffAgain) {
    ASSERT_EQ(message_of(attach({.device = "wk0", .hooks = kXdp | kTcIngress | kTcEgress})), "");
    EXPECT_EQ(listed().size(), 3U);
    EXPECT_NE(find_interface("wk0")->xdp_program, 0U);

    ASSERT_EQ(message_of(detach(node(), "wk0", kTcIngress)), "");
    EXPECT_EQ(only_entry().hooks, kXdp | kTcEgress);
    ASSERT_EQ(message_of(detach(node(), "wk0", 0)), "");

    EXPECT_THAT(listed(), IsEmpty());
    EXPECT_EQ(find_interface("wk0")->xdp_program, 0U);
    EXPECT_EQ(only_entry().hooks, 0U) << "the entry stays for its counters";
    EXPECT_EQ(message_of(detach(node(), "wk0", 0)), "") << "again";
}

TEST_F(Attach, SlotAndCountersGoOnAfterDetach) {
    ASSERT_EQ(message_of(attach({.device = "wk0", .hooks = kTcEgress})), "");
    ASSERT_EQ(message_of(attach({.device = "wk1", .hooks = kTcEgress})), "");
    ASSERT_EQ(message_of(detach(node(), "wk1", 0)), "");

    ASSERT_EQ(message_of(attach({.device = "wk1", .hooks = kTcEgress})), "");

    const auto entries = *node().ifaces();
    std::vector<std::uint32_t> slots;
    for (const auto& [ifindex, entry] : entries) {
        slots.push_back(entry.slot);
    }
    EXPECT_THAT(slots, testing::UnorderedElementsAre(1U, 2U));
}

TEST_F(Attach, UnknownInterfaceIsNamedWithTheNearest) {
    EXPECT_EQ(message_of(attach({.device = "wk2"})),
              "no interface 'wk2' in this network namespace: did you mean 'wk1'?");
    EXPECT_EQ(message_of(attach({.device = "enp3s0f1"})),
              "no interface 'enp3s0f1' in this network namespace: `ip link` lists them");
    EXPECT_EQ(message_of(detach(node(), "wk1", 0)), "Weir is not attached to wk1");
}

TEST_F(Attach, AVanishedInterfaceIsMissingAndCanBeDetached) {
    ASSERT_EQ(message_of(attach({.device = "wk0", .exclusive = true, .hooks = kXdp | kTcIngress})),
              "");
    shell("ip link del wk0");

    EXPECT_THAT(listed(), ElementsAre("wk0 xdp missing", "wk0 tc-ingress missing"));
    EXPECT_EQ(message_of(detach(node(), "wk0", 0)), "");

    EXPECT_THAT(listed(), IsEmpty());
    EXPECT_TRUE(node().ifaces()->empty());
    EXPECT_TRUE(fs::is_empty(base_ + "/" + std::to_string(WEIR_SCHEMA) + "/links"));
    EXPECT_EQ(message_of(unload(pins())), "");
}

TEST_F(Attach, AnInterfaceMadeAnewTakesOverItsCounters) {
    ASSERT_EQ(message_of(attach({.device = "wk1", .hooks = kTcEgress})), "");
    ASSERT_EQ(message_of(attach({.device = "wk0", .hooks = kTcIngress})), "");
    const auto before = *node().ifaces();
    shell("ip link del wk0 && ip link add wk0 type veth peer name wk1");

    ASSERT_EQ(message_of(attach({.device = "wk0", .hooks = kTcIngress})), "");

    const auto entries = *node().ifaces();
    ASSERT_EQ(entries.size(), 2U);
    const std::uint32_t ifindex = find_interface("wk0")->index;
    const auto now = std::find_if(entries.begin(), entries.end(),
                                  [&](const auto& e) { return e.first == ifindex; });
    ASSERT_NE(now, entries.end());
    EXPECT_EQ(now->second.slot, 2U);
    EXPECT_EQ(now->second.hooks, kTcIngress);
}

TEST_F(Attach, ASomebodyElsesXdpIsRefusedAndStays) {
    const Fd foreign = foreign_program(BPF_PROG_TYPE_XDP, "foreign_xdp", 2);
    ASSERT_TRUE(foreign);
    const int ifindex = static_cast<int>(find_interface("wk0")->index);
    ASSERT_EQ(bpf_xdp_attach(ifindex, foreign.get(), 0, nullptr), 0);
    const std::string who = "foreign_xdp (id " + std::to_string(id_of(foreign)) + ")";

    EXPECT_EQ(
        message_of(attach({.device = "wk0", .hooks = kXdp | kTcIngress})),
        "wk0 carries XDP program " + who +
            ", not loaded by libxdp: Weir cannot share with it; take it off with `ip link set "
            "dev wk0 xdp off`");

    EXPECT_EQ(find_interface("wk0")->xdp_program, id_of(foreign));
    EXPECT_THAT(listed(), IsEmpty());
    EXPECT_TRUE(node().ifaces()->empty());
}

TEST_F(Attach, SharesTheHookBehindLibxdpsDispatcher) {
    if (const Trial freplace = try_freplace(); !freplace.works) {
        GTEST_SKIP() << "freplace " << freplace.found;
    }
    shell("xdp-filter load wk0");

    const auto report = attach({.device = "wk0", .hooks = kXdp});

    ASSERT_EQ(message_of(report), "");
    EXPECT_THAT(listed(), ElementsAre("wk0 xdp native dispatcher"));
    EXPECT_THAT(report->attached[0].others, ElementsAre(StartsWith("xdpfilt_alw_all (id ")));
    EXPECT_THAT(message_of(attach({.device = "wk0", .exclusive = true, .hooks = kXdp})),
                HasSubstr("attached already, by libxdp"));
    ASSERT_EQ(message_of(detach(node(), "wk0", 0)), "");
    EXPECT_THAT(listed(), IsEmpty());
    EXPECT_NE(find_interface("wk0")->xdp_program, 0U) << "xdp-filter stays";
    EXPECT_THAT(message_of(attach({.device = "wk0", .exclusive = true, .hooks = kXdp})),
                HasSubstr("behind libxdp's dispatcher: attach without --exclusive to share"));
    shell("xdp-filter unload wk0");
}

TEST_F(Attach, NothingStaysOfTheDispatcherThatWasLent) {
    ::setenv("LIBXDP_OBJECT_PATH", "/usr/lib/x86_64-linux-gnu/bpf", 1);

    fs::path lent;
    const auto offered = with_own_dispatcher([&] {
        lent = ::getenv("LIBXDP_OBJECT_PATH");
        EXPECT_EQ(fs::status(lent).permissions(), fs::perms::owner_all);
        EXPECT_GT(fs::file_size(lent / "xdp-dispatcher.o"), 0U);
    });

    ASSERT_EQ(message_of(offered), "");
    EXPECT_EQ(lent.parent_path(), "/run");
    EXPECT_FALSE(fs::exists(lent));
    EXPECT_STREQ(::getenv("LIBXDP_OBJECT_PATH"), "/usr/lib/x86_64-linux-gnu/bpf");
    ::unsetenv("LIBXDP_OBJECT_PATH");
    ASSERT_EQ(message_of(with_own_dispatcher([] {})), "");
    EXPECT_EQ(::getenv("LIBXDP_OBJECT_PATH"), nullptr);
}

TEST_F(Attach, ALaterHookThatFailsTakesTheEarlierOff) {
    ASSERT_EQ(message_of(attach({.device = "wk0", .hooks = kTcEgress})), "");
    // The pin's place is taken: TC ingress cannot be pinned.
    fs::create_directory(base_ + "/" + std::to_string(WEIR_SCHEMA) + "/links/tc-ingress-" +
                         std::to_string(find_interface("wk0")->index));

    EXPECT_THAT(message_of(attach({.device = "wk0", .hooks = kXdp | kTcIngress})),
                HasSubstr("tc-ingress-"));

    EXPECT_EQ(find_interface("wk0")->xdp_program, 0U);
    EXPECT_EQ(listed().size(), 1U) << "what was there before stays";
    EXPECT_EQ(only_entry().hooks, kTcEgress);
}

TEST_F(Attach, OthersOnTheTcHookAreListedAndStay) {
    const Fd foreign = foreign_program(BPF_PROG_TYPE_SCHED_CLS, "foreign_tc", -1);
    const int ifindex = static_cast<int>(find_interface("wk0")->index);
    Options<bpf_tc_hook> place;
    place.ifindex = ifindex;
    place.attach_point = BPF_TC_INGRESS;
    ASSERT_EQ(bpf_tc_hook_create(&place), 0);
    Options<bpf_tc_opts> filter;
    filter.prog_fd = foreign.get();
    ASSERT_EQ(bpf_tc_attach(&place, &filter), 0);

    const auto report = attach({.device = "wk0", .hooks = kTcIngress});

    ASSERT_EQ(message_of(report), "");
    EXPECT_THAT(report->attached[0].others,
                ElementsAre("foreign_tc (id " + std::to_string(id_of(foreign)) + ")"));
    ASSERT_EQ(message_of(detach(node(), "wk0", 0)), "");
    Options<bpf_tc_opts> left;
    left.handle = filter.handle;
    left.priority = filter.priority;
    EXPECT_EQ(bpf_tc_query(&place, &left), 0);
    EXPECT_EQ(left.prog_id, id_of(foreign));
}

TEST_F(Attach, AnotherWeirIsNotTakenForThisOne) {
    ASSERT_EQ(message_of(attach({.device = "wk0", .hooks = kXdp})), "");
    const Pins second(base_ + "-b");
    ASSERT_EQ(message_of(second.prepare()), "");
    ASSERT_EQ(message_of(load(second, small_limits())), "");
    auto other = Node::open(second);

    const auto refused =
        kernel::attach(*other, {.device = "wk0", .exclusive = true, .hooks = kXdp});

    EXPECT_THAT(message_of(refused), StartsWith("wk0 carries XDP program weir_ingress (id "));
    EXPECT_NE(find_interface("wk0")->xdp_program, 0U);
    fs::remove_all(second.base());
}

TEST_F(Attach, AnotherRoleIsRefusedWhileAttached) {
    ASSERT_EQ(message_of(attach({.device = "wk0", .as = ROLE_DECAP, .hooks = kXdp})), "");

    EXPECT_EQ(message_of(attach({.device = "wk0", .hooks = kTcEgress})),
              "wk0 is attached with role decap: run `weir detach wk0` first, or give --role decap");
    EXPECT_EQ(only_entry().role, static_cast<std::uint32_t>(ROLE_DECAP));
}

TEST_F(Attach, UnloadIsRefusedWhileAttached) {
    ASSERT_EQ(message_of(attach({.device = "wk0"})), "");
    ASSERT_EQ(message_of(attach({.device = "wk1", .hooks = kTcEgress})), "");

    EXPECT_THAT(message_of(unload(pins())),
                testing::AnyOf("Weir is attached to wk1, wk0: run `weir detach --all` first",
                               "Weir is attached to wk0, wk1: run `weir detach --all` first"));
    EXPECT_TRUE(pins().loaded());
}

} // namespace
} // namespace weir::kernel
