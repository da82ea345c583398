#include <algorithm>

#include "kernel/bpf.h"
#include "kernel/netlink.h"
#include "kernel/probe.h"
#include "support.h"

namespace weir::kernel {
namespace {

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
    const auto weir_probes = [] {
        int count = 0;
        std::uint32_t id = 0;
        while (bpf_prog_get_next_id(id, &id) == 0) {
            if (const auto fd = program_by_id(id)) {
                count += program_info(fd->get())->name == std::string("weir_probe") ? 1 : 0;
            }
        }
        return count;
    };
    examine();

    EXPECT_EQ(weir_probes(), 0);
    EXPECT_EQ(find_interface("wk0")->xdp_program, 0U);
}

} // namespace
} // namespace weir::kernel
