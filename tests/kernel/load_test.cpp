#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "support.h"

namespace weir::kernel {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

using Load = PinsTest;

TEST_F(Load, PinsProgramsAndMaps) {
    load_weir();

    EXPECT_TRUE(pins().loaded());
    EXPECT_FALSE(fs::exists(base_ + "/building"));
    const Node node = open_node();
    const auto programs = node.programs();
    ASSERT_EQ(message_of(programs), "");
    ASSERT_EQ(programs->size(), 3U);
    EXPECT_EQ((*programs)[0].name, "weir_ingress");
    EXPECT_EQ((*programs)[1].name, "weir_tc_ingress");
    EXPECT_EQ((*programs)[2].name, "weir_tc_egress");
    EXPECT_EQ((*programs)[0].pin,
              base_ + "/" + std::to_string(WEIR_SCHEMA) + "/programs/weir_ingress");
    EXPECT_EQ((*programs)[0].tag.size(), 16U);
}

TEST_F(Load, RemembersTheLimits) {
    load_weir();

    EXPECT_EQ(open_node().limits(), small_limits());
}

TEST_F(Load, TakesTheDefaultLimits) {
    load_weir(model::Limits{});

    EXPECT_EQ(open_node().limits(), model::Limits{});
}

TEST_F(Load, SecondLoadChangesNothing) {
    load_weir();
    const auto before = open_node().programs();

    const auto again = load(pins(), small_limits());

    ASSERT_EQ(message_of(again), "");
    EXPECT_FALSE(*again);
    EXPECT_EQ((*open_node().programs())[0].id, (*before)[0].id);
}

TEST_F(Load, NothingIsLiveYet) {
    load_weir();

    const auto kept = open_node().generations();

    ASSERT_EQ(message_of(kept), "");
    EXPECT_TRUE(kept->empty());
}

TEST_F(Load, RemovesWhatAKilledLoadLeft) {
    fs::create_directories(base_ + "/building/maps");

    load_weir();

    EXPECT_FALSE(fs::exists(base_ + "/building"));
}

TEST_F(Load, LeavesNoDescriptorOpen) {
    const auto open_files = [] {
        return std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator());
    };
    load_weir();
    ASSERT_EQ(message_of(unload(pins())), "");
    const auto before = open_files();

    load_weir();

    EXPECT_EQ(open_files(), before);
}

TEST_F(Load, UnloadRemovesThePins) {
    load_weir();

    EXPECT_EQ(message_of(unload(pins())), "");

    EXPECT_FALSE(pins().loaded());
    EXPECT_EQ(message_of(unload(pins())), "Weir is not loaded in " + base_);
    EXPECT_EQ(message_of(Node::open(pins())),
              "Weir is not loaded in " + base_ + ": run `weir load`");
}

TEST_F(Load, RefusesPinsOfAnotherSchema) {
    fs::create_directories(base_ + "/99/maps");

    const auto loaded = load(pins(), small_limits());

    EXPECT_EQ(message_of(loaded),
              base_ + " holds pins of schema 99, this weir reads schema " +
                  std::to_string(WEIR_SCHEMA) +
                  ": `weir export` and `weir unload` with the weir that loaded them, then `weir "
                  "load` and `weir apply` with this one");
    EXPECT_TRUE(fs::exists(base_ + "/99/maps"));
    EXPECT_THAT(message_of(Node::open(pins())), HasSubstr("holds pins of schema 99"));
}

TEST_F(Load, RefusesNodesThatAreNoPowerOfTwo) {
    auto limits = small_limits();
    limits.nodes = 1000;

    EXPECT_EQ(message_of(load(pins(), limits)),
              "--max-nodes 1000: give a power of two up to 131072");
}

TEST_F(Load, RefusesABaseThatIsNoBpffs) {
    EXPECT_EQ(message_of(Pins("/tmp/weir-kt").prepare()),
              "/tmp/weir-kt is not on a bpffs: choose pins below /sys/fs/bpf, or `mount -t bpf bpf "
              "DIR`");
}

// Whether the kernel has this process wait for a lock of flock(2): proc_locks(5).
bool waits_for_a_lock(pid_t process) {
    std::ifstream locks("/proc/locks");
    const std::string owner = " " + std::to_string(process) + " ";
    for (std::string line; std::getline(locks, line);) {
        if (line.find("-> FLOCK") != std::string::npos && line.find(owner) != std::string::npos) {
            return true;
        }
    }
    return false;
}

TEST_F(Load, LockOfTheOneExcludesTheOther) {
    auto first = Lock::take(pins(), Lock::Mode::kExclusive);
    ASSERT_EQ(message_of(first), "");
    int answer[2];
    ASSERT_EQ(::pipe(answer), 0);

    const pid_t child = ::fork();
    if (child == 0) {
        { const Lock inherited = *std::move(first); } // else the child itself would hold it
        const auto second = Lock::take(pins(), Lock::Mode::kShared);
        (void)!::write(answer[1], second ? "y" : "n", 1);
        ::_exit(0);
    }
    ::close(answer[1]);
    pollfd answered{.fd = answer[0], .events = POLLIN, .revents = 0};
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (!waits_for_a_lock(child)) {
        ASSERT_EQ(::poll(&answered, 1, 1), 0) << "the second lock was given, or the child has died";
        ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "the child asks for no lock";
    }
    EXPECT_EQ(::poll(&answered, 1, 0), 0) << "the second lock was given";
    { const Lock gone = *std::move(first); }
    char got = 0;
    EXPECT_EQ(::read(answer[0], &got, 1), 1);
    EXPECT_EQ(got, 'y');
    int status = -1;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    ::close(answer[0]);
}

TEST_F(Load, OnlyTheOwnerCanTakeTheLock) {
    EXPECT_EQ(fs::status(base_).permissions(), fs::perms::owner_all);
}

TEST_F(Load, RefusesABaseOfAnotherUser) {
    ASSERT_EQ(::chown(base_.c_str(), 65534, 65534), 0);

    EXPECT_EQ(message_of(pins().prepare()),
              base_ + " belongs to user 65534: remove it with `rmdir " + base_ + "`");
}

TEST_F(Load, SaysThatRootIsMissing) {
    int answer[2];
    ASSERT_EQ(::pipe(answer), 0);
    const pid_t child = ::fork();
    if (child == 0) {
        (void)!::setresuid(65534, 65534, 65534); // nobody
        const std::string text = message_of(Pins("/sys/fs/bpf/weir-kt-nobody").prepare()) + "\n" +
                                 message_of(Lock::take(pins(), Lock::Mode::kShared));
        (void)!::write(answer[1], text.data(), text.size());
        ::_exit(0);
    }
    ::waitpid(child, nullptr, 0);
    std::string text(1000, '\0');
    text.resize(static_cast<std::size_t>(::read(answer[0], text.data(), text.size())));
    const std::string mend =
        ": not permitted: run as root (with CAP_SYS_ADMIN, CAP_BPF and CAP_NET_ADMIN)";
    EXPECT_EQ(text, "making /sys/fs/bpf/weir-kt-nobody" + mend + "\nlocking " + base_ + mend);
    ::close(answer[0]);
    ::close(answer[1]);
}

TEST_F(Load, LockSaysThatNothingIsLoaded) {
    EXPECT_EQ(message_of(Lock::take(Pins("/sys/fs/bpf/weir-kt-none"), Lock::Mode::kShared)),
              "Weir is not loaded in /sys/fs/bpf/weir-kt-none: run `weir load`");
}

} // namespace
} // namespace weir::kernel
