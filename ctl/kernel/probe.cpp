#include "kernel/probe.h"

#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <linux/magic.h>
#include <sstream>

#include "kernel/netlink.h"
#include "kernel/probe_bpf.h"
#include "kernel/refusal.h"
#include "kernel/transmitters.h"

namespace weir::kernel {
namespace {

using Level = Finding::Level;

Finding ok(std::string what, std::string found) {
    return {Level::kOk, std::move(what), std::move(found), "", ""};
}

// First line of a file; "" where it cannot be read.
std::string first_line(const std::string& path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    return line;
}

Finding kernel_release() {
    utsname name{};
    ::uname(&name);
    int major = 0, minor = 0;
    char dot = 0;
    std::istringstream(name.release) >> major >> dot >> minor;
    Finding finding = ok("kernel", name.release);
    if (major < 6 || (major == 6 && minor < 1)) {
        finding.level = Level::kBroken;
        finding.consequence = "Weir is made for Linux 6.1 and later: programs may not load";
        finding.mend = "boot a newer kernel";
    }
    return finding;
}

Finding privileges() {
    if (privileged()) {
        return ok("privileges", ::geteuid() == 0 ? "root" : "capabilities");
    }
    return {Level::kBroken, "privileges", "not root", "nothing can be loaded, attached or read",
            "sudo weir doctor"};
}

Finding bpffs() {
    struct statfs info {};
    if (::statfs("/sys/fs/bpf", &info) == 0 && info.f_type == BPF_FS_MAGIC) {
        return ok("bpffs", "mounted on /sys/fs/bpf");
    }
    return {Level::kLimited, "bpffs", "not mounted on /sys/fs/bpf",
            "there is no place for pins yet; `weir load` mounts it",
            "mount -t bpf bpf /sys/fs/bpf"};
}

Finding type_information() {
    if (::access("/sys/kernel/btf/vmlinux", R_OK) == 0) {
        return ok("BTF", "/sys/kernel/btf/vmlinux");
    }
    return {Level::kLimited, "BTF", "missing",
            "libxdp cannot share an interface; tracing cannot find arguments",
            "use a kernel with CONFIG_DEBUG_INFO_BTF=y"};
}

Finding jit() {
    const std::string value = first_line("/proc/sys/net/core/bpf_jit_enable");
    if (value == "1" || value == "2") {
        return ok("JIT", "on");
    }
    if (value.empty()) {
        return ok("JIT", "not to be seen from this network namespace");
    }
    // Kernels with CONFIG_BPF_JIT_ALWAYS_ON have no value but 1 and 2.
    return {Level::kLimited, "JIT", "off",
            "programs are interpreted: packets cost several times as much",
            "sysctl net.core.bpf_jit_enable=1"};
}

Finding locked_down() {
    const std::string mode = lockdown();
    if (mode == "confidentiality") {
        return {Level::kBroken, "lockdown", mode, "the kernel refuses to read memory from BPF",
                "boot with lockdown=integrity or lockdown=none"};
    }
    return ok("lockdown", mode.empty() ? "none (no such security module)" : mode);
}

Finding unprivileged() {
    const std::string value = first_line("/proc/sys/kernel/unprivileged_bpf_disabled");
    if (value == "0") {
        return {Level::kLimited, "unprivileged BPF", "allowed",
                "any user may load BPF programs: Weir does not need that",
                "sysctl kernel.unprivileged_bpf_disabled=1"};
    }
    return ok("unprivileged BPF", value.empty() ? "unknown" : "refused");
}

Finding run_statistics() {
    if (first_line("/proc/sys/kernel/bpf_stats_enabled") == "1") {
        return ok("run time statistics", "on");
    }
    return {Level::kLimited, "run time statistics", "off",
            "`weir status` shows no run time of programs",
            "sysctl kernel.bpf_stats_enabled=1 (costs some 20 ns a packet)"};
}

Finding forwarding(const std::string& what, const std::string& sysctl) {
    std::string path = "/proc/sys/" + sysctl;
    for (char& letter : path) {
        letter = letter == '.' ? '/' : letter;
    }
    if (first_line(path) == "1") {
        return ok(what, "on");
    }
    return {Level::kLimited, what, "off",
            "next hops cannot be looked up: packets for backends are dropped (forwarding-off), "
            "unless lb.gateway is set",
            "sysctl " + sysctl + "=1"};
}

Finding trial(std::string what, const Trial& tried, std::string consequence, std::string mend,
              Level level = Level::kLimited) {
    if (tried.works) {
        return ok(std::move(what), "works");
    }
    return {level, std::move(what), tried.found, std::move(consequence), std::move(mend)};
}

Finding freplace() {
    const Trial any = try_freplace();
    if (any.works && !try_changing_freplace().works) {
        return {Level::kLimited, "freplace", "not by a function that changes packets",
                "libxdp 1.3's dispatcher cannot hold Weir, which brings its own: while Weir is "
                "attached, xdp-filter and xdp-loader cannot add or remove programs beside it",
                "load them before `weir attach`, unload them after `weir detach`"};
    }
    return trial("freplace", any,
                 "libxdp has no dispatcher: an interface carries one XDP program only",
                 "use a kernel with CONFIG_FUNCTION_TRACER=y and BPF trampolines");
}

Finding functions() {
    constexpr const char* kWhat = "kernel functions";
    const bool kprobes = ::access("/sys/bus/event_source/devices/kprobe/type", R_OK) == 0;
    const Trial fentry = try_fentry();
    if (fentry.works) {
        return ok(kWhat, kprobes ? "probed by fentry and kprobes" : "probed by fentry");
    }
    const std::string why = "fentry is " + fentry.found;
    if (kprobes) {
        return {Level::kLimited, kWhat, "probed by kprobes; " + why,
                "the first six arguments are seen, none at the return", ""};
    }
    return {Level::kLimited, kWhat, "not to be probed: " + why + ", kprobes are not in this kernel",
            "tracing is limited to tracepoints, system calls and functions of processes",
            "use a kernel with CONFIG_KPROBES=y, not locked down"};
}

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) {
        text += (text.empty() ? "" : ", ") + word;
    }
    return text;
}

constexpr const char* kNotSentByXdp =
    "XDP cannot send out of it: what is for backends behind it is sent by the kernel, which is slower";

Finding device(const Interface& link, const std::optional<std::vector<XdpFeatures>>& features) {
    const std::string what = link.name + ": XDP";
    if (!features) {
        Finding unknown = ok(what, "unknown (kernel 6.3 and later tell)");
        if (!can_transmit(link, nullptr)) {
            unknown.level = Level::kLimited;
            unknown.consequence = kNotSentByXdp;
        }
        return unknown;
    }
    for (const XdpFeatures& one : *features) {
        if (one.index != link.index || one.bits == 0) {
            continue;
        }
        Finding finding = ok(what, joined(one.names));
        const auto has = [&](const char* name) {
            return std::find(one.names.begin(), one.names.end(), name) != one.names.end();
        };
        if (!has("ndo-xmit")) {
            finding.level = Level::kLimited;
            finding.consequence = kNotSentByXdp;
            finding.mend = link.kind == "veth"
                               ? "attach any XDP program to its peer, or `ethtool -K "
                                 "PEER gro on`"
                               : "";
        }
        return finding;
    }
    return {Level::kLimited, what, "generic only",
            std::string("XDP runs after the kernel made an skb: slower; ") + kNotSentByXdp, ""};
}

void add_devices(std::vector<Finding>& findings) {
    const auto links = interfaces();
    const auto features = xdp_features();
    if (!links || !features) {
        findings.push_back({Level::kBroken, "interfaces", "cannot be listed",
                            (links ? features.error() : links.error()).message(), ""});
        return;
    }
    for (const Interface& link : *links) {
        if (link.name != "lo") {
            findings.push_back(device(link, *features));
        }
    }
}

} // namespace

std::vector<Finding> examine() {
    std::vector<Finding> findings = {
        privileges(), kernel_release(), bpffs(),       type_information(),
        jit(),        locked_down(),    unprivileged()};
    if (privileged()) {
        findings.push_back(trial("BPF programs", try_program(), "nothing can be loaded",
                                 "use a kernel with CONFIG_BPF_SYSCALL=y", Level::kBroken));
        findings.push_back(trial("test run", try_test_run(), "`weir explain` cannot run packets",
                                 "use a kernel with BPF_PROG_TEST_RUN"));
        findings.push_back(freplace());
        findings.push_back(trial("TCX", try_tcx(), "TC attaches by the clsact qdisc instead",
                                 "Linux 6.6 and later have it"));
        findings.push_back(trial("devmap", try_map(MapProbe::kDevmap),
                                 "XDP cannot redirect to other interfaces",
                                 "use a kernel with CONFIG_NET and XDP redirect"));
        findings.push_back(
            trial("cpumap", try_map(MapProbe::kCpumap), "XDP cannot spread packets over CPUs", ""));
    }
    findings.push_back(run_statistics());
    findings.push_back(functions());
    findings.push_back(forwarding("IPv4 forwarding", "net.ipv4.ip_forward"));
    findings.push_back(forwarding("IPv6 forwarding", "net.ipv6.conf.all.forwarding"));
    add_devices(findings);
    return findings;
}

} // namespace weir::kernel
