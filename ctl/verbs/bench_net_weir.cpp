#include "verbs/bench_net_weir.h"

#include <algorithm>
#include <fmt/format.h>
#include <memory>

#include "kernel/attach.h"
#include "kernel/node.h"
#include "text/config_text.h"
#include "verbs/change.h"

namespace weir::verbs {
namespace {

using bench::DeviceBooks;
using bench::NetJob;
using bench::NetMode;

std::string filter_yaml(const NetJob& job) {
    std::string rules;
    if (job.set) {
        return fmt::format("firewall: {{ingress: {{rules: [ip saddr @s drop]}}}}\n"
                           "sets: {{s: {{type: ipv4_addr, elements: [{}]}}}}\n",
                           fmt::join(bench::set_elements(), ", "));
    }
    for (const std::uint16_t port : bench::rule_ports(job.rules)) {
        rules += fmt::format("{}udp dport {} drop", rules.empty() ? "" : ", ", port);
    }
    return fmt::format("firewall: {{ingress: {{rules: [{}]}}}}\n", rules);
}

std::string forward_yaml(const char* forward) {
    return fmt::format("lb:\n  source: 10.99.0.0/16\n  services:\n"
                       "    - {{vip: \"{}:{}/udp\", forward: {}, backends: [{}]}}\n",
                       bench::kVip, bench::kPort, forward, bench::kBackend);
}

// received = passed + sent + redirected + dropped, and the sum that the job is about.
Result<DeviceBooks> read_books(const kernel::Node& node, std::uint32_t slot, bool forward) {
    WEIR_TRY(const hook_count count, node.hook_hits(slot, HOOK_XDP));
    std::uint64_t out = 0, reasons = 0;
    for (const traffic& verdict : count.verdict) {
        out += verdict.packets;
    }
    for (const traffic& dropped : count.dropped) {
        reasons += dropped.packets;
    }
    const std::uint64_t drops = count.verdict[VERDICT_DROP].packets;
    DeviceBooks books;
    books.handled = forward ? count.verdict[VERDICT_REDIRECT].packets : drops;
    books.unaccounted = static_cast<std::int64_t>(count.received.packets - out);
    if (books.unaccounted == 0) {
        books.unaccounted = static_cast<std::int64_t>(drops - reasons);
    }
    return books;
}

Result<bench::Device> weir_device(Context& cx, const bench::Lab& lab, const NetJob& job,
                                  const std::string& yaml, NetMode mode, std::uint32_t flows) {
    // The command's mounts hold a bpffs of its own.
    Context own{kernel::Pins("/sys/fs/bpf/weir-bench-" + lab.in()), cx.out};
    WEIR_CHECK(own.pins.prepare());
    model::Limits limits;
    limits.flows = std::max(limits.flows, 4 * flows); // an LRU map evicts before it is full
    WEIR_CHECK(kernel::load(own.pins, limits));
    std::vector<text::Warning> warnings;
    WEIR_TRY(const auto wanted, text::parse_config(yaml, "bench", warnings));
    {
        WEIR_TRY(auto node, kernel::Node::open(own.pins));
        WEIR_CHECK(publish_empty(node));
    }
    WEIR_CHECK(change(own, [&](model::Config& config) -> Result<> {
        config = wanted;
        return {};
    }));
    WEIR_TRY(auto opened, kernel::Node::open(own.pins));
    const auto node = std::make_shared<kernel::Node>(std::move(opened));
    kernel::AttachRequest request;
    request.device = lab.in();
    request.mode = mode == NetMode::kNative ? kernel::XdpMode::kNative : kernel::XdpMode::kGeneric;
    request.hooks = 1U << HOOK_XDP;
    WEIR_CHECK(kernel::attach(*node, request));
    WEIR_TRY(const auto interfaces, node->ifaces());
    const std::uint32_t slot = interfaces.at(0).second.slot;
    return bench::Device{
        [node, slot, forward = job.forward] { return read_books(*node, slot, forward); }};
}

} // namespace

std::vector<bench::Peer> weir_peers(Context& cx, bool forward, NetMode mode, std::uint32_t flows) {
    if (!forward) {
        return {{"weir", "Weir's firewall", mode,
                 [&cx, mode, flows](const bench::Lab& lab, const NetJob& job) {
                     return weir_device(cx, lab, job, filter_yaml(job), mode, flows);
                 }}};
    }
    const auto balancer = [&](const char* name, const char* what, const char* yaml) {
        return bench::Peer{name, what, mode,
                           [&cx, mode, flows, yaml](const bench::Lab& lab, const NetJob& job) {
                               return weir_device(cx, lab, job, forward_yaml(yaml), mode, flows);
                           }};
    };
    return {balancer("weir-l2dsr", "Weir's balancer, L2 DSR", "l2dsr"),
            balancer("weir-ipip", "Weir's balancer, IPIP", "ipip")};
}

} // namespace weir::verbs
