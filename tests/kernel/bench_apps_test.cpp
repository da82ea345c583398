#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>

#include "bench/apps/apps_run.h"
#include "bench/cpus.h"

namespace weir::bench {
namespace {

using testing::StartsWith;

// Comes back to the namespace and the CPUs that it had.
class BenchApps : public testing::Test {
protected:
    void SetUp() override {
        here_ = Fd(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
        cpus_ = *allowed_cpus();
    }
    void TearDown() override {
        ASSERT_EQ(setns(here_.get(), CLONE_NEWNET), 0);
        ASSERT_TRUE(stay_on(cpus_));
    }

    static std::vector<AppsCase> run(const std::vector<AppsPeer>& peers) {
        AppsOptions options;
        options.applications = {"http"};
        options.rounds = 1;
        options.connections = 1;
        auto cases = run_apps(peers, options, [](const std::string&) {});
        EXPECT_TRUE(cases) << cases.error().message();
        return cases.value_or(std::vector<AppsCase>{});
    }

private:
    Fd here_;
    std::vector<unsigned> cpus_;
};

TEST_F(BenchApps, RequestsThatGoPastTheDeviceAreVoid) {
    const AppsPeer past{"past", "", NetMode::kStack, [](const AppsLab& apps) -> Result<Device> {
                            WEIR_CHECK(apps.lab().enter(Lab::Place::kGenerator));
                            WEIR_CHECK(
                                ip_batch(fmt::format("route replace {} via {}\n", kVip, kDirect)));
                            return Device{};
                        }};
    const auto cases = run({past});
    ASSERT_EQ(cases.size(), 1U);
    EXPECT_FALSE(cases[0].measured);
    EXPECT_THAT(cases[0].refused, StartsWith("void: 0 frames went through the device, of "));
}

TEST_F(BenchApps, BooksWithLessThanTheRequestsAreVoid) {
    AppsPeer idle = apps_peers()[1];
    ASSERT_EQ(idle.name, "kernel");
    idle.set_up = [forward = idle.set_up](const AppsLab& apps) -> Result<Device> {
        WEIR_CHECK(forward(apps));
        // Many at once, and never more: what went before is no excuse.
        return Device{[]() -> Result<DeviceBooks> { return DeviceBooks{.handled = 1U << 30}; }};
    };
    const auto cases = run({idle});
    ASSERT_EQ(cases.size(), 1U);
    EXPECT_THAT(cases[0].refused, StartsWith("void: 0 frames handed on of "));
}

TEST_F(BenchApps, AWayThatDoesNotAnswerIsRefused) {
    const AppsPeer hole{"hole", "", NetMode::kStack, [](const AppsLab& apps) -> Result<Device> {
                            WEIR_CHECK(apps.lab().enter(Lab::Place::kGenerator));
                            WEIR_CHECK(ip_batch(fmt::format("route replace blackhole {}\n", kVip)));
                            return Device{};
                        }};
    const auto cases = run({hole});
    ASSERT_EQ(cases.size(), 1U);
    EXPECT_FALSE(cases[0].measured);
    EXPECT_NE(cases[0].refused, "");
}

} // namespace
} // namespace weir::bench
