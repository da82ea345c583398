#include "verbs/bench_node.h"

#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>

#include "kernel/bpf.h"
#include "kernel/refusal.h"
#include "text/config_text.h"
#include "verbs/change.h"

namespace weir::verbs {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFolder = "/sys/fs/bpf";
constexpr std::string_view kName = "weir-bench-";

// While something is pinned: Ctrl-C waits until it is not.
class HeldSignals {
public:
    HeldSignals() {
        sigset_t held;
        sigemptyset(&held);
        for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
            sigaddset(&held, signal);
        }
        sigprocmask(SIG_BLOCK, &held, &before_);
    }
    ~HeldSignals() { sigprocmask(SIG_SETMASK, &before_, nullptr); }
    HeldSignals(const HeldSignals&) = delete;
    HeldSignals& operator=(const HeldSignals&) = delete;

private:
    sigset_t before_{};
};

// Pins of benches that were killed.
void remove_bases_of_the_dead() {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(kFolder, error)) {
        const std::string name = entry.path().filename().string();
        const bool ours = name.compare(0, kName.size(), kName) == 0;
        if (ours && kill(std::atoi(name.c_str() + kName.size()), 0) != 0 && errno == ESRCH) {
            fs::remove_all(entry.path(), error);
        }
    }
}

Result<BenchNode> open(const kernel::Pins& pins) {
    WEIR_TRY(auto node, kernel::Node::open(pins));
    BenchNode bench{std::move(node), {}};
    for (const auto which :
         {kernel::Program::kIngress, kernel::Program::kTcIngress, kernel::Program::kTcEgress}) {
        WEIR_TRY(bench.programs[static_cast<std::size_t>(which)],
                 kernel::open_pin(pins.program(kernel::name(which))));
    }
    return bench;
}

Result<BenchNode> build(Context& cx, const bench::SetUp& set_up) {
    std::vector<text::Warning> warnings;
    WEIR_TRY(const auto wanted, text::parse_config(set_up.yaml(), "bench", warnings));
    WEIR_CHECK(kernel::load(cx.pins, set_up.limits));
    if (!set_up.bare) {
        {
            WEIR_TRY(auto node, kernel::Node::open(cx.pins));
            WEIR_CHECK(publish_empty(node));
        }
        WEIR_CHECK(change(cx, [&](model::Config& config) -> Result<> {
            config = wanted;
            return {};
        }));
    }
    return open(cx.pins);
}

} // namespace

Result<BenchNode> make_bench_node(Context& cx, const bench::SetUp& set_up) {
    const HeldSignals held;
    remove_bases_of_the_dead();
    Context own{kernel::Pins(fs::path(kFolder) / fmt::format("{}{}", kName, getpid())), cx.out};
    WEIR_CHECK(own.pins.prepare());
    auto built = build(own, set_up);
    std::error_code ignored;
    fs::remove_all(own.pins.base(), ignored);
    return built;
}

Result<> enter_bench_network() {
    if (unshare(CLONE_NEWNET) != 0) {
        return kernel::refusal("making a network namespace", errno);
    }
    std::FILE* ip = popen("ip -batch -", "w");
    if (ip == nullptr) {
        return fail_errno("running ip", errno);
    }
    std::fputs(bench::kBenchNetwork, ip);
    if (pclose(ip) != 0) {
        return fail("laying out the bench's network: `ip -batch -` failed; is iproute2 there?");
    }
    // The kernel looks up a next hop only for those who forward.
    for (const char* family : {"ipv4", "ipv6"}) {
        std::ofstream forwarding(fmt::format("/proc/sys/net/{}/conf/all/forwarding", family));
        forwarding << 1 << std::flush;
        if (!forwarding) {
            return fail(fmt::format("switching on {} forwarding in the bench's network", family));
        }
    }
    return {};
}

} // namespace weir::verbs
