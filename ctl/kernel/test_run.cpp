#include "kernel/test_run.h"

#include <linux/bpf.h>
#include <linux/if_ether.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "kernel/bpf.h"
#include "kernel/objects.h"
#include "kernel/refusal.h"

namespace weir::kernel {
namespace {

// What the packet may grow by: two outer headers of IPv6 are 80 octets.
constexpr std::size_t kGrowth = 256;

// Counters of its own: the loaded instance's stay as they were.
bool private_map(std::string_view map) {
    static constexpr std::array kPrivate = {
        std::string_view(maps::rule_counts.name), std::string_view(maps::hook_counts.name),
        std::string_view(maps::service_counts.name), std::string_view(maps::backend_counts.name),
        std::string_view(maps::explanations.name)};
    return std::find(kPrivate.begin(), kPrivate.end(), map) != kPrivate.end();
}

Result<TestRun> test_run(int program, Program which, std::span<const std::uint8_t> frame,
                         std::uint32_t ifindex) {
    TestRun result;
    result.output.resize(frame.size() + kGrowth);
    Options<bpf_test_run_opts> settings;
    settings.data_in = frame.data();
    settings.data_size_in = static_cast<__u32>(frame.size());
    settings.data_out = result.output.data();
    settings.data_size_out = static_cast<__u32>(result.output.size());
    settings.repeat = 1;
    // Without a context the kernel takes the namespace's loopback interface.
    xdp_md xdp{};
    __sk_buff skb{};
    if (ifindex != 0 && which == Program::kIngress) {
        xdp.data_end = settings.data_size_in;
        xdp.ingress_ifindex = ifindex;
        settings.ctx_in = &xdp;
        settings.ctx_size_in = sizeof(xdp);
    } else if (ifindex != 0) {
        skb.ifindex = ifindex;
        settings.ctx_in = &skb;
        settings.ctx_size_in = sizeof(skb);
    }
    if (bpf_prog_test_run_opts(program, &settings) != 0) {
        const int error = errno;
        if (ifindex != 0 && (error == ENODEV || error == EINVAL)) {
            return fail("running the program: no interface number " + std::to_string(ifindex) +
                        " in this network namespace, or the frame of " +
                        std::to_string(frame.size()) + " octets does not suit it");
        }
        return refusal("running the program on the packet", error);
    }
    result.action = settings.retval;
    result.output.resize(std::min<std::size_t>(settings.data_size_out, result.output.size()));
    return result;
}

} // namespace

Result<Explainer> Explainer::open(const Node& node, Program program) {
    const auto file = program == Program::kIngress ? ObjectFile::kIngress : ObjectFile::kTc;
    WEIR_TRY(Object object, Object::open(file, node.limits(), Instance::kExplain));
    WEIR_CHECK(object.size_maps(node.limits()));
    WEIR_CHECK(object.reuse_maps(node.pins().root() / "maps", private_map));
    WEIR_CHECK(object.load());
    return Explainer(std::move(object), program);
}

Result<TestRun> Explainer::run(std::span<const std::uint8_t> frame, std::uint32_t ifindex) const {
    if (frame.size() < ETH_HLEN) {
        return usage("a frame of " + std::to_string(frame.size()) +
                     " octets: the kernel's test run takes no less than an Ethernet header, " +
                     std::to_string(ETH_HLEN));
    }
    WEIR_TRY(const int fd, object_.program(name(program_)));
    WEIR_TRY(const int notes, object_.map(maps::explanations.name));
    const __u32 only = 0;
    const explanation none{.verdict = VERDICT_PASS,
                           .reason = REASON_POLICY,
                           .rule = FW_NO_SLOT,
                           .service = NO_TABLE,
                           .backend = NO_TABLE,
                           .flow = 0};
    if (bpf_map_update_elem(notes, &only, &none, BPF_ANY) != 0) {
        return refusal("clearing the explanation", errno);
    }
    WEIR_TRY(TestRun result, test_run(fd, program_, frame, ifindex));
    if (bpf_map_lookup_elem(notes, &only, &result.why) != 0) {
        return refusal("reading the explanation", errno);
    }
    return result;
}

} // namespace weir::kernel
