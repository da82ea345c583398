// Any octets as a frame, through the programs in the kernel (BPF_PROG_TEST_RUN): each gets a
// verdict, and the books of its hook balance after every single packet.
#include <array>
#include <cerrno>
#include <memory>
#include <optional>
#include <unistd.h>

#include <bpf/bpf.h>

#include "compile/images.h"
#include "kernel/bpf.h"
#include "kernel/node.h"
#include "kernel/pins.h"
#include "promise.h"
#include "support/verdict.h"
#include "text/config_text.h"

using namespace weir;

namespace {

constexpr std::size_t kFrameMin = 15; // the kernel refuses frames without a payload
constexpr std::size_t kFrameMax = 3000;

// Every stage has something to do: sets, masks, both families, both forward modes, echo.
constexpr std::string_view kConfig = R"(
firewall:
  ingress:
    rules:
      - ip saddr @some drop
      - ip6 saddr @some6 drop
      - tcp flags & (fin | syn | rst | ack) == syn counter
      - tcp dport { 22, 8000-8080 } drop
      - udp sport @ports drop
      - ip frag-off & 0x1fff != 0 counter
      - ether type 0x88cc drop
      - vlan id 7 drop
      - icmpv6 type echo-request counter
  egress:
    policy: drop
    rules:
      - meta l4proto { tcp, udp } accept
      - ip dscp ef accept
sets:
  some: {type: ipv4_addr, elements: [198.51.100.0/24]}
  some6: {type: ipv6_addr, elements: ["2001:db8:bad::/48"]}
  ports: {type: inet_service, elements: [53, 123]}
lb:
  source: 10.99.0.0/16
  source6: fd00:99::/64
  gateway: 02:00:00:00:00:01
  services:
    - {vip: "203.0.113.10:80/tcp", backends: [10.0.2.2, 10.0.2.3]}
    - {vip: "203.0.113.10:any/udp", backends: [10.0.2.2]}
    - {vip: "[2001:db8::10]:80/tcp", backends: ["fd00:2::2"]}
    - {vip: "203.0.113.11:80/tcp", forward: l2dsr, backends: [10.0.2.2]}
    - {vip: "203.0.113.12:80/tcp"}
)";

template <typename T>
T must(Result<T> result, const char* doing) {
    promise(result.has_value(), doing, result ? "" : result.error().message());
    return *std::move(result);
}
void must(const Result<>& result, const char* doing) {
    promise(result.has_value(), doing, result ? "" : result.error().message());
}

struct Hook {
    kernel::Program program;
    Fd fd;
};

// The programs with a configuration in force, held by descriptors alone: nothing stays pinned.
struct Loaded {
    kernel::Node node;
    std::array<Hook, 3> hooks;
};
std::unique_ptr<Loaded> loaded;

void publish(kernel::Node& node) {
    std::vector<text::Warning> warnings;
    text::SavedState state;
    state.config = must(text::parse_config(kConfig, "config", warnings), "parsing");
    must(model::check(state.config, node.limits()), "checking");
    const auto fresh =
        must(model::assign_identities(state.config, model::Config{}, {}, node.limits(), state.ids),
             "giving handles");
    must(node.publish(must(compile::compile(state.config, node.limits()), "compiling"), fresh,
                      text::save_state(state)),
         "publishing");
}

void load() {
    const kernel::Pins pins("/sys/fs/bpf/weir-fuzz-" + std::to_string(getpid()));
    must(pins.prepare(), "making the folder of pins");
    must(kernel::load(pins, {.nodes = 1024, .services = 16, .backends = 64, .flows = 1024}),
         "loading");
    auto node = must(kernel::Node::open(pins), "opening");
    const auto open = [&](kernel::Program program) {
        return Hook{program,
                    must(kernel::open_pin(pins.program(name(program))), "opening a program")};
    };
    loaded = std::make_unique<Loaded>(
        Loaded{std::move(node),
               {open(kernel::Program::kIngress), open(kernel::Program::kTcIngress),
                open(kernel::Program::kTcEgress)}});
    publish(loaded->node);
    must(kernel::unload(pins), "unloading");
    rmdir(pins.base().c_str());
}

// None where the kernel makes no skb of the octets: it wants an IP header whole
// (net/bpf/test_run.c).
std::optional<std::uint32_t> run(const Hook& hook, const std::uint8_t* data, std::size_t size) {
    kernel::Options<bpf_test_run_opts> settings;
    settings.data_in = data;
    settings.data_size_in = static_cast<__u32>(size);
    settings.repeat = 1;
    const int error = bpf_prog_test_run_opts(hook.fd.get(), &settings);
    if (error == -EINVAL && hook.program != kernel::Program::kIngress) {
        return std::nullopt;
    }
    promise(error == 0, "the program runs",
            std::string(name(hook.program)) + ": error " + std::to_string(error));
    return settings.retval;
}

void check_books(const Hook& hook, std::uint32_t action, std::size_t size,
                 const hook_count& before) {
    const hook_count now =
        must(loaded->node.hook_hits(0, test::hook_of(hook.program)), "reading the books");
    const verdict end = test::verdict_of(hook.program, static_cast<int>(action));
    const std::string where =
        std::string(name(hook.program)) + ", action " + std::to_string(action);
    promise(end != VERDICT_COUNT, "the action is one that Weir gives", where);
    promise(now.received.packets == before.received.packets + 1 &&
                now.received.bytes == before.received.bytes + size,
            "the packet is counted in", where);
    std::uint64_t dropped = 0;
    for (const traffic& reason : now.dropped) {
        dropped += reason.packets;
    }
    promise(dropped == now.verdict[VERDICT_DROP].packets, "every drop has one reason", where);
    for (int v = 0; v < VERDICT_COUNT; v++) {
        const std::uint64_t one = v == end ? 1 : 0;
        promise(now.verdict[v].packets == before.verdict[v].packets + one &&
                    now.verdict[v].bytes == before.verdict[v].bytes + one * size,
                "the packet is counted out as what the action says, once", where);
    }
}

} // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
    load();
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < kFrameMin || size > kFrameMax) {
        return 0;
    }
    for (const Hook& hook : loaded->hooks) {
        const hook_count before =
            must(loaded->node.hook_hits(0, test::hook_of(hook.program)), "reading the books");
        if (const auto action = run(hook, data, size)) {
            check_books(hook, *action, size, before);
        }
    }
    return 0;
}
