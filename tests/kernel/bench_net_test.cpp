#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>

#include "bench/net/net_run.h"
#include "bench/process.h"

namespace weir::bench {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// Comes back to the namespace that it was in.
class BenchNet : public testing::Test {
protected:
    void SetUp() override { here_ = Fd(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)); }
    void TearDown() override { ASSERT_EQ(setns(here_.get(), CLONE_NEWNET), 0); }

    static NetOptions few() {
        NetOptions options;
        options.sizes = {64};
        options.rounds = 3;
        options.packets = 2000;
        return options;
    }
    static NetJob drop_all() { return net_jobs().front(); }

private:
    Fd here_;
};

void silent(const std::string&) {}

// Does as the floor does, and writes other books.
Peer liar(std::int64_t too_many) {
    Peer peer = floor_peer(NetMode::kNative);
    peer.name = "liar";
    peer.set_up = [too_many, honest = peer.set_up](const Lab& lab,
                                                   const NetJob& job) -> Result<Device> {
        WEIR_TRY(const Device device, honest(lab, job));
        return Device{[too_many, device]() -> Result<DeviceBooks> {
            WEIR_TRY(DeviceBooks books, device.books());
            if (books.handled > 2000) { // the warm-up is counted right
                books.handled =
                    static_cast<std::uint64_t>(static_cast<std::int64_t>(books.handled) + too_many);
            }
            return books;
        }};
    };
    return peer;
}

TEST_F(BenchNet, BooksThatDisagreeVoidTheFigureAndNoOther) {
    for (const std::int64_t too_many : {-1, 1}) {
        const std::vector<Peer> peers = {floor_peer(NetMode::kNative), liar(too_many)};
        const auto cases = run_contests({{drop_all(), peers}}, few(), silent);
        ASSERT_TRUE(cases) << cases.error().message();
        ASSERT_EQ(cases->size(), 2U);
        EXPECT_TRUE(cases->at(0).measured);
        EXPECT_EQ(cases->at(0).measured->counts.handled, 6000U);
        EXPECT_FALSE(cases->at(1).measured);
        EXPECT_EQ(cases->at(1).refused,
                  "void, for the counts of 2000 packets disagree: generator 2000, device 2000, "
                  "dropped by it " +
                      std::to_string(2000 + too_many) + ", sink 0");
    }
}

TEST_F(BenchNet, ADeviceThatHandsOnWhatItShouldDropIsVoid) {
    Peer leak = floor_peer(NetMode::kNative);
    leak.set_up = [honest = leak.set_up](const Lab& lab, const NetJob& job) {
        NetJob other = job;
        other.forward = true;
        return honest(lab, other);
    };
    const std::vector<Peer> peers = {leak};
    const auto cases = run_contests({{drop_all(), peers}}, few(), silent);
    ASSERT_TRUE(cases) << cases.error().message();
    EXPECT_THAT(cases->at(0).refused, StartsWith("void, "));
    EXPECT_THAT(cases->at(0).refused, HasSubstr("sink 1024"));
}

TEST_F(BenchNet, WhyAPeerIsMissingStandsInEverySize) {
    Peer missing{"missing", "", NetMode::kStack, [](const Lab&, const NetJob&) -> Result<Device> {
                     WEIR_CHECK(run_process({"no-such-tool"}));
                     return Device{};
                 }};
    NetOptions options = few();
    options.sizes = {64, 1500};
    const std::vector<Peer> peers = {missing};
    const auto cases = run_contests({{drop_all(), peers}}, options, silent);
    ASSERT_TRUE(cases) << cases.error().message();
    ASSERT_EQ(cases->size(), 2U);
    for (const NetCase& each : *cases) {
        EXPECT_EQ(each.refused, "no-such-tool is not installed");
    }
}

TEST(BenchProcess, AnswersWhatWasPrinted) {
    const auto said = run_process({"cat"}, "one\ntwo\n");
    ASSERT_TRUE(said);
    EXPECT_EQ(*said, "one\ntwo\n");
}

TEST(BenchProcess, AFailureSaysItsFirstLineAndStatus) {
    const auto said = run_process({"sh", "-c", "echo reason >&2; echo more >&2; exit 3"});
    ASSERT_FALSE(said);
    EXPECT_EQ(said.error().message(), "sh: reason (exit status 3)");
}

} // namespace
} // namespace weir::bench
