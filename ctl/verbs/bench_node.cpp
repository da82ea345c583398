#include "verbs/bench_node.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>

#include "bench/net/lab.h"
#include "kernel/bpf.h"
#include "kernel/refusal.h"
#include "text/config_text.h"
#include "text/packet_frame.h"
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
        if (!name.starts_with(kName)) {
            continue;
        }
        pid_t owner = 0; // without a number: the processes beside this one, which are there
        std::from_chars(name.data() + kName.size(), name.data() + name.size(), owner);
        if (kill(owner, 0) != 0 && errno == ESRCH) {
            fs::remove_all(entry.path(), error);
        }
    }
}

// Test runs arrive at the loopback interface: packets find its entry, as on an interface that is
// attached.
Result<> enter_loopback(kernel::Node& node) {
    constexpr std::uint32_t kLoopback = 1;
    iface entry{.name_hi = 0,
                .name_lo = 0,
                .ifindex = kLoopback,
                .slot = 1,
                .mac = {},
                .role = ROLE_BALANCER,
                .hooks = 1U << HOOK_XDP};
    const text::PacketFields usual; // every frame of a bench is sent to this address
    const auto to = usual.ether_daddr.octets();
    std::copy(to.begin(), to.end(), std::begin(entry.mac));
    return node.set_iface(kLoopback, entry);
}

} // namespace

struct PinnedBench::State {
    HeldSignals held; // destroyed last: while it lives, Ctrl-C waits
    Context cx;
    bool published = false;
    explicit State(Context& outer)
        : cx{kernel::Pins(fs::path(kFolder) / fmt::format("{}{}", kName, getpid())), outer.out} {}
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() {
        std::error_code ignored;
        fs::remove_all(cx.pins.base(), ignored);
    }
};

PinnedBench::PinnedBench(std::unique_ptr<State> state) : state_(std::move(state)) {}
PinnedBench::PinnedBench(PinnedBench&&) noexcept = default;
PinnedBench::~PinnedBench() = default;

Result<PinnedBench> PinnedBench::load(Context& cx, const model::Limits& limits) {
    remove_bases_of_the_dead();
    PinnedBench bench(std::make_unique<State>(cx));
    const kernel::Pins& pins = bench.state_->cx.pins;
    WEIR_CHECK(pins.prepare());
    WEIR_CHECK(kernel::load(pins, limits));
    return bench;
}

Result<> PinnedBench::apply(const std::string& yaml) {
    std::vector<text::Warning> warnings;
    WEIR_TRY(auto wanted, text::parse_config(yaml, "bench", warnings));
    return edit([&](model::Config& config) -> Result<> {
        config = std::move(wanted);
        return {};
    });
}

Result<> PinnedBench::edit(const Edit& edit) {
    if (!state_->published) {
        WEIR_TRY(auto node, kernel::Node::open(state_->cx.pins));
        WEIR_CHECK(publish_empty(node));
        state_->published = true;
    }
    WEIR_CHECK(change(state_->cx, edit));
    return {};
}

Result<BenchNode> PinnedBench::open() const {
    const kernel::Pins& pins = state_->cx.pins;
    WEIR_TRY(auto node, kernel::Node::open(pins));
    WEIR_CHECK(enter_loopback(node));
    BenchNode bench{std::move(node), {}};
    for (const auto which :
         {kernel::Program::kIngress, kernel::Program::kTcIngress, kernel::Program::kTcEgress}) {
        WEIR_TRY(bench.programs[static_cast<std::size_t>(which)],
                 kernel::open_pin(pins.program(kernel::name(which))));
    }
    return bench;
}

bool PinnedBench::interrupted() {
    sigset_t waiting;
    sigpending(&waiting);
    return sigismember(&waiting, SIGINT) == 1 || sigismember(&waiting, SIGTERM) == 1 ||
           sigismember(&waiting, SIGHUP) == 1;
}

Result<> BenchNodes::prepare(const bench::SetUp& set_up) {
    if (use_ == Use::kShared && last_ && !set_up.bare && limits_ == set_up.limits) {
        return last_->apply(""); // nothing is left of the services before
    }
    last_.reset();
    WEIR_TRY(auto loaded, PinnedBench::load(cx_, set_up.limits));
    last_ = std::make_unique<PinnedBench>(std::move(loaded));
    limits_ = set_up.limits;
    return {};
}

Result<BenchNode> BenchNodes::make(const bench::SetUp& set_up) {
    WEIR_CHECK(prepare(set_up));
    if (set_up.before) {
        WEIR_CHECK(last_->apply(set_up.before()));
    }
    if (!set_up.bare) {
        WEIR_CHECK(last_->apply(set_up.yaml()));
    }
    auto node = last_->open();
    if (use_ == Use::kFresh) {
        last_.reset();
    }
    return node;
}

Result<> enter_bench_network() {
    if (unshare(CLONE_NEWNET) != 0) {
        return kernel::refusal("making a network namespace", errno);
    }
    std::FILE* ip = popen("ip -batch -", "w");
    if (ip == nullptr) {
        return fail_errno("running ip", errno);
    }
    const bool told = std::fputs(bench::kBenchNetwork, ip) >= 0;
    if (pclose(ip) != 0 || !told) {
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
    return bench::switch_gro_on("bench1"); // or nothing is to be redirected to bench0
}

} // namespace weir::verbs
