#include <algorithm>
#include <filesystem>

#include "kernel/netlink.h"
#include "kernel/probe.h"
#include "support.h"

namespace weir::kernel {
namespace {

namespace fs = std::filesystem;
using Doctor = NetnsTest;

const Finding* find(const std::vector<Finding>& all, const std::string& what) {
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const Finding& f) { return f.what == what; });
    return found == all.end() ? nullptr : &*found;
}

TEST_F(Doctor, FindsWhatIsThere) {
    const auto findings = examine();

    for (const char* what : {"privileges", "kernel", "bpffs", "BPF programs", "test run"}) {
        const Finding* finding = find(findings, what);
        ASSERT_TRUE(finding) << what;
        EXPECT_EQ(finding->level, Finding::Level::kOk) << what << ": " << finding->found;
    }
    EXPECT_TRUE(find(findings, "freplace"));
    EXPECT_TRUE(find(findings, "TCX"));
    EXPECT_TRUE(find(findings, "wk0: XDP"));
    EXPECT_FALSE(find(findings, "lo: XDP"));
}

TEST_F(Doctor, WhatIsLimitedHasAConsequence) {
    for (const Finding& finding : examine()) {
        EXPECT_EQ(finding.level == Finding::Level::kOk, finding.consequence.empty())
            << finding.what << ": " << finding.found;
    }
}

TEST_F(Doctor, ForwardingIsReadFromItsNamespace) {
    shell("sysctl -qw net.ipv4.ip_forward=0");
    EXPECT_EQ(find(examine(), "IPv4 forwarding")->found, "off");
    shell("sysctl -qw net.ipv4.ip_forward=1");
    EXPECT_EQ(find(examine(), "IPv4 forwarding")->found, "on");
}

TEST_F(Doctor, LeavesNothingBehind) {
    // A program lives by a descriptor, a pin or the place where it is attached.
    const auto open_files = [] {
        return std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator());
    };
    const auto pins_there = [] {
        return std::distance(fs::directory_iterator("/sys/fs/bpf"), fs::directory_iterator());
    };
    const auto files = open_files(), pins = pins_there();

    examine();

    EXPECT_EQ(open_files(), files);
    EXPECT_EQ(pins_there(), pins);
    EXPECT_EQ(find_interface("wk0")->xdp_program, 0U);
}

} // namespace
} // namespace weir::kernel
