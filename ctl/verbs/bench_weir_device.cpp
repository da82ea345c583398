#include "verbs/bench_weir_device.h"

#include <algorithm>
#include <array>
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

std::string forward_yaml(const char* forward, const std::vector<std::string>& services) {
    std::string yaml = "lb:\n  source: 10.99.0.0/16\n  services:\n";
    for (const std::string& service : services) {
        yaml += fmt::format("    - {{vip: \"{}:{}\", forward: {}, backends: [{}]}}\n", bench::kVip,
                            service, forward, bench::kBackend);
    }
    return yaml;
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

// Weir on one interface of the namespace that the process is in.
struct DevicePlace {
    std::string interface;
    NetMode mode;
    role as = ROLE_BALANCER;
};

using NodeAndSlot = std::pair<std::shared_ptr<kernel::Node>, std::uint32_t>;

Result<NodeAndSlot> set_up(Context& cx, const DevicePlace& place, const std::string& yaml) {
    // The command's mounts hold a bpffs of its own.
    Context own{kernel::Pins("/sys/fs/bpf/weir-bench-" + place.interface), cx.out};
    WEIR_CHECK(own.pins.prepare());
    WEIR_CHECK(kernel::load(own.pins, {})); // at rest no number of flows takes room
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
    request.device = place.interface;
    request.mode =
        place.mode == NetMode::kNative ? kernel::XdpMode::kNative : kernel::XdpMode::kGeneric;
    request.hooks = 1U << HOOK_XDP;
    request.as = place.as;
    WEIR_CHECK(kernel::attach(*node, request));
    WEIR_TRY(const auto interfaces, node->ifaces());
    return NodeAndSlot{node, interfaces.at(0).second.slot};
}

Result<bench::Device> set_up_device(Context& cx, const DevicePlace& place, const std::string& yaml,
                                    bool forward) {
    WEIR_TRY(const auto device, set_up(cx, place, yaml));
    return bench::Device{
        [device, forward] { return read_books(*device.first, device.second, forward); }};
}

struct Way {
    const char* name;
    const char* what;
    const char* forward; // in the configuration
};
constexpr std::array kWays = {Way{"weir-l2dsr", "Weir's balancer, L2 DSR", "l2dsr"},
                              Way{"weir-ipip", "Weir's balancer, IPIP", "ipip"}};

Result<bench::Device> set_up_apps(Context& cx, const bench::AppsLab& apps, const Way& way,
                                  NetMode mode) {
    const bench::Lab& lab = apps.lab();
    if (way.forward == std::string_view("ipip")) {
        WEIR_CHECK(lab.enter(bench::Lab::Place::kSink));
        WEIR_CHECK(set_up(cx, {lab.sink(), mode, ROLE_DECAP}, "firewall: {}\n"));
    }
    WEIR_CHECK(lab.enter(bench::Lab::Place::kDevice));
    const std::string yaml = forward_yaml(way.forward, {fmt::format("{}/tcp", bench::kHttpPort),
                                                        fmt::format("{}/tcp", bench::kIperfPort)});
    return set_up_device(cx, {lab.in(), mode}, yaml, true);
}

} // namespace

std::vector<bench::Peer> weir_peers(Context& cx, bool forward, NetMode mode) {
    if (!forward) {
        return {{"weir", "Weir's firewall", mode,
                 [&cx, mode](const bench::Lab& lab, const NetJob& job) {
                     return set_up_device(cx, {lab.in(), mode}, filter_yaml(job), false);
                 }}};
    }
    std::vector<bench::Peer> peers;
    for (const Way& way : kWays) {
        peers.push_back(
            {way.name, way.what, mode, [&cx, mode, &way](const bench::Lab& lab, const NetJob&) {
                 const auto yaml = forward_yaml(way.forward, {fmt::format("{}/udp", bench::kPort)});
                 return set_up_device(cx, {lab.in(), mode}, yaml, true);
             }});
    }
    return peers;
}

std::vector<bench::AppsPeer> weir_apps_peers(Context& cx, NetMode mode) {
    std::vector<bench::AppsPeer> peers;
    for (const Way& way : kWays) {
        peers.push_back({way.name, way.what, mode, [&cx, mode, &way](const bench::AppsLab& apps) {
                             return set_up_apps(cx, apps, way, mode);
                         }});
    }
    return peers;
}

} // namespace weir::verbs
