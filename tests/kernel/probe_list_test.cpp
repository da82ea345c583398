#include "kernel/probe_list.h"

#include <bpf/bpf.h>
#include <linux/filter.h>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "kernel/bpf.h"
#include "kernel/btf.h"
#include "kernel/tracefs.h"
#include "support.h"

// What uprobes are placed at. Each does something of its own, or the linker might fold them.
extern "C" __attribute__((noinline, used)) int weir_probed_one(int x) {
    return x + 1;
}
extern "C" __attribute__((noinline, used)) int weir_probed_two(int x) {
    return x * 3;
}

namespace weir::kernel {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr std::uint32_t kNoInfoBefore = 0x0606; // links tell of perf events from 6.6 on

std::uint32_t release() {
    std::ifstream file("/proc/sys/kernel/osrelease");
    std::uint32_t major = 0, minor = 0;
    char dot = 0;
    file >> major >> dot >> minor;
    return major << 8 | minor;
}

std::string own_file() {
    return std::filesystem::read_symlink("/proc/self/exe").string();
}

// Where a function of this program lies in its file, by the mappings: not by the file's symbols.
std::uint64_t offset_of(int (*function)(int)) {
    const auto address = reinterpret_cast<std::uint64_t>(function);
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
        std::istringstream words(line);
        std::uint64_t begin = 0, end = 0, offset = 0;
        char dash = 0;
        std::string rights;
        if (words >> std::hex >> begin >> dash >> end >> rights >> offset && address >= begin &&
            address < end) {
            return address - begin + offset;
        }
    }
    return 0;
}

// This process's alone: another one may run these tests at the same time.
const std::string& program_name() {
    static const std::string name = "probe_" + std::to_string(::getpid());
    return name;
}

// return 0;
Fd load(bpf_prog_type type, std::uint32_t attach_type = 0, std::uint32_t function = 0) {
    const bpf_insn program[] = {
        {.code = BPF_ALU64 | BPF_MOV | BPF_K,
         .dst_reg = BPF_REG_0,
         .src_reg = 0,
         .off = 0,
         .imm = 0},
        {.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0}};
    Options<bpf_prog_load_opts> settings;
    settings.expected_attach_type = static_cast<bpf_attach_type>(attach_type);
    settings.attach_btf_id = function;
    return Fd(bpf_prog_load(type, program_name().c_str(), "GPL", program, std::size(program), &settings));
}

Fd open_event(perf_event_attr settings) {
    settings.size = sizeof(settings);
    return Fd(static_cast<int>(
        ::syscall(SYS_perf_event_open, &settings, -1, 0, -1, PERF_FLAG_FD_CLOEXEC)));
}

int number_in(const std::string& path, const std::string& before = "") {
    std::ifstream file(path);
    std::string text;
    std::getline(file, text);
    text = text.substr(before.size());
    int number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

Fd tracepoint(const std::string& name) {
    EXPECT_TRUE(reach_tracefs());
    perf_event_attr settings{};
    settings.type = PERF_TYPE_TRACEPOINT;
    settings.config =
        static_cast<__u64>(number_in("/sys/kernel/tracing/events/skb/" + name + "/id"));
    return open_event(settings);
}

Fd uprobe(std::uint64_t offset, bool at_return) {
    const std::string file = own_file();
    perf_event_attr settings{};
    settings.type = static_cast<__u32>(number_in("/sys/bus/event_source/devices/uprobe/type"));
    settings.config =
        at_return
            ? 1U << number_in("/sys/bus/event_source/devices/uprobe/format/retprobe", "config:")
            : 0;
    settings.config1 = reinterpret_cast<__u64>(file.c_str());
    settings.config2 = offset;
    return open_event(settings);
}

Fd sample() {
    perf_event_attr settings{};
    settings.type = PERF_TYPE_SOFTWARE;
    settings.config = PERF_COUNT_SW_CONTEXT_SWITCHES;
    settings.sample_period = 1'000'000;
    return open_event(settings);
}

Fd link(const Fd& program, const Fd& event) {
    return Fd(bpf_link_create(program.get(), event.get(), BPF_PERF_EVENT, nullptr));
}

// struct bpf_attr's part for BPF_LINK_CREATE as 6.6 has it (include/uapi/linux/bpf.h).
struct UprobeMulti {
    __u32 program;
    __u32 target;
    __u32 attach_type;
    __u32 flags;
    __aligned_u64 path;
    __aligned_u64 offsets;
    __aligned_u64 reference_counters;
    __aligned_u64 cookies;
    __u32 count;
    __u32 multi_flags;
    __u32 pid;
    __u32 padding;
};
constexpr __u32 kTraceUprobeMulti = 48; // BPF_TRACE_UPROBE_MULTI

Fd link_uprobes(const Fd& program, const std::vector<std::uint64_t>& offsets, bool at_return) {
    const std::string file = own_file();
    UprobeMulti settings{};
    settings.program = static_cast<__u32>(program.get());
    settings.attach_type = kTraceUprobeMulti;
    settings.path = reinterpret_cast<__u64>(file.c_str());
    settings.offsets = reinterpret_cast<__u64>(offsets.data());
    settings.count = static_cast<__u32>(offsets.size());
    settings.multi_flags = at_return ? 1 : 0; // BPF_F_UPROBE_MULTI_RETURN
    return Fd(static_cast<int>(::syscall(SYS_bpf, BPF_LINK_CREATE, &settings, sizeof(settings))));
}

class ProbeList : public PinsTest {
protected:
    void SetUp() override {
        PinsTest::SetUp();
        std::filesystem::create_directory(base_);
        pin_ = base_ + "/probe";
    }

    // "KIND WHERE by PID at PIN" of those that run one of our programs, and that this process
    // holds without the kernel telling which.
    static std::vector<std::string> listed() {
        const auto all = attached_probes();
        EXPECT_TRUE(all) << message_of(all);
        std::vector<std::string> lines;
        for (const AttachedProbe& each : *all) {
            const bool untold = each.program == 0 && each.pid == ::getpid();
            if (each.program_name != program_name() && !untold) {
                continue;
            }
            EXPECT_EQ(each.comm, each.pid == 0 ? "" : "kernel_tests");
            EXPECT_TRUE(each.pid == 0 || each.pid == ::getpid());
            lines.push_back(each.kind + " " + each.where + (untold ? " untold" : "") +
                            (each.pid == 0 ? "" : " by us") +
                            (each.pin.empty() ? "" : " at " + each.pin));
        }
        return lines;
    }

    std::string pin_;
};

TEST_F(ProbeList, AnEventIsToldOnceByAllThatHoldIt) {
    const Fd program = load(BPF_PROG_TYPE_TRACEPOINT);
    Fd event = tracepoint("skb_copy_datagram_iovec");
    Fd attached = link(program, event);
    ASSERT_TRUE(program && event && attached) << errno;
    const std::string row = "tracepoint skb_copy_datagram_iovec";
    EXPECT_THAT(listed(), ElementsAre(row + " by us"));

    ASSERT_TRUE(pin(attached.get(), pin_));
    EXPECT_THAT(listed(), ElementsAre(row + " by us at " + pin_));

    attached.reset();
    EXPECT_THAT(listed(), ElementsAre(row + " by us at " + pin_)) << "by its event alone";

    event.reset();
    const bool told = release() >= kNoInfoBefore;
    EXPECT_THAT(listed(), ElementsAre((told ? row : "perf event ") + " at " + pin_))
        << "by its pin alone";

    std::filesystem::remove(pin_);
    EXPECT_THAT(listed(), IsEmpty());
}

TEST_F(ProbeList, TwoLinksOfOneProgramOfWhichOneIsPinned) {
    const Fd program = load(BPF_PROG_TYPE_TRACEPOINT);
    const Fd held = tracepoint("skb_copy_datagram_iovec");
    const Fd by = link(program, held);
    {
        const Fd event = tracepoint("kfree_skb");
        const Fd pinned = link(program, event);
        ASSERT_TRUE(by && pinned) << errno;
        ASSERT_TRUE(pin(pinned.get(), pin_));
    }

    const bool told = release() >= kNoInfoBefore;
    EXPECT_THAT(listed(), UnorderedElementsAre(
                              "tracepoint skb_copy_datagram_iovec by us",
                              (told ? "tracepoint kfree_skb at " : "perf event  at ") + pin_));
}

TEST_F(ProbeList, PlacesOfAFileByItsFunctions) {
    const Fd program = load(BPF_PROG_TYPE_KPROBE);
    const Fd entry = uprobe(offset_of(weir_probed_one), false);
    const Fd inside = uprobe(offset_of(weir_probed_one) + 1, false);
    const Fd exit = uprobe(offset_of(weir_probed_two), true);
    ASSERT_TRUE(entry && inside && exit) << errno;
    // One by its descriptor alone, as tools without links have it.
    ASSERT_EQ(::ioctl(entry.get(), PERF_EVENT_IOC_SET_BPF, program.get()), 0) << errno;
    const Fd inside_link = link(program, inside), exit_link = link(program, exit);
    ASSERT_TRUE(inside_link && exit_link) << errno;

    EXPECT_THAT(listed(), ElementsAre("uprobe " + own_file() + ":weir_probed_one by us",
                                      "uprobe " + own_file() + ":weir_probed_one+0x1 by us",
                                      "uretprobe " + own_file() + ":weir_probed_two by us"));
}

TEST_F(ProbeList, EachPlaceOfAUprobeMultiLink) {
    const Fd program = load(BPF_PROG_TYPE_KPROBE, kTraceUprobeMulti);
    const std::vector<std::uint64_t> both{offset_of(weir_probed_one), offset_of(weir_probed_two)};
    const std::vector<std::uint64_t> one{both[0]};
    Fd entries = link_uprobes(program, both, false);
    if (!entries && errno == EINVAL) {
        GTEST_SKIP() << "this kernel has no uprobe.multi";
    }
    ASSERT_TRUE(program && entries) << errno;
    const Fd exits = link_uprobes(program, one, true);
    ASSERT_TRUE(exits) << errno;
    ASSERT_TRUE(pin(entries.get(), pin_));
    entries.reset();

    EXPECT_THAT(listed(), ElementsAre("uprobe.multi " + own_file() + ":weir_probed_one at " + pin_,
                                      "uprobe.multi " + own_file() + ":weir_probed_two at " + pin_,
                                      "uretprobe.multi " + own_file() + ":weir_probed_one by us"));
}

TEST_F(ProbeList, ASampleTellsItsProgramByItsLink) {
    const Fd program = load(BPF_PROG_TYPE_PERF_EVENT);
    const Fd event = sample();
    ASSERT_TRUE(program && event) << errno;
    {
        const Fd attached = link(program, event);
        ASSERT_TRUE(attached) << errno;
        EXPECT_THAT(listed(),
                    ElementsAre(release() >= kNoInfoBefore ? "perf event context-switches by us"
                                                           : "perf event  by us"));
    }
    ASSERT_EQ(::ioctl(event.get(), PERF_EVENT_IOC_SET_BPF, program.get()), 0) << errno;
    EXPECT_THAT(listed(), ElementsAre("perf event  untold by us"));
}

std::uint32_t function(const char* name) {
    const auto types = Btf::of_kernel();
    const auto found = types ? types->function(name) : std::nullopt;
    return found ? found->id : 0;
}

TEST_F(ProbeList, AnIterator) {
    const Fd program = load(BPF_PROG_TYPE_TRACING, BPF_TRACE_ITER, function("bpf_iter_task"));
    const Fd attached(bpf_link_create(program.get(), 0, BPF_TRACE_ITER, nullptr));
    ASSERT_TRUE(program && attached) << errno;
    EXPECT_THAT(listed(), ElementsAre("iter task by us"));
}

TEST_F(ProbeList, FunctionsThatProgramsMayChange) {
    const Fd modify =
        load(BPF_PROG_TYPE_TRACING, BPF_MODIFY_RETURN, function("security_task_kill"));
    if (!modify && errno == EPERM) {
        GTEST_SKIP() << "this kernel lets nobody probe its functions";
    }
    const Fd lsm = load(BPF_PROG_TYPE_LSM, BPF_LSM_MAC, function("bpf_lsm_task_kill"));
    const Fd modify_link(bpf_link_create(modify.get(), 0, BPF_MODIFY_RETURN, nullptr));
    const Fd lsm_link(bpf_link_create(lsm.get(), 0, BPF_LSM_MAC, nullptr));
    ASSERT_TRUE(modify && lsm && modify_link && lsm_link) << errno;

    EXPECT_THAT(listed(),
                ElementsAre("fmod_ret security_task_kill by us", "lsm bpf_lsm_task_kill by us"));
}

} // namespace
} // namespace weir::kernel
