#include "verbs/lb_answers.h"

#include <algorithm>
#include <optional>

#include "kernel/test_run.h"
#include "presets/lb.h"
#include "text/packet_frame.h"

namespace weir::verbs {
namespace {

using presets::LbKey;

struct Event {
    IpAddr vip = {}, client = {};
    std::uint16_t vip_port = 0, client_port = 0;
    Answers answers = {};
};

Result<Event> read_event(const presets::Counted& counted) {
    const auto value = [&](LbKey key) { return counted.keys[key].value; };
    Event event{.vip_port = value(presets::kVipPort), .client_port = value(presets::kClientPort)};
    WEIR_TRY(event.vip, IpAddr::parse(value(presets::kVip).get<std::string>()));
    WEIR_TRY(event.client, IpAddr::parse(value(presets::kClient).get<std::string>()));
    const bool reset =
        value(presets::kAnswer) == static_cast<std::uint64_t>(presets::LbAnswer::kReset);
    for (const auto& place : counted.places) {
        (reset ? event.answers.resets : event.answers.sent_again) += place.events;
    }
    return event;
}

const model::Service* service_of(const model::Config& config, const Event& event) {
    const auto& services = config.balancer.services;
    const auto found = std::find_if(services.begin(), services.end(), [&](const auto& each) {
        return each.key.vip == event.vip && each.key.proto == model::Transport::kTcp &&
               (each.key.port == event.vip_port || each.key.port == 0);
    });
    return found == services.end() ? nullptr : &*found;
}

// Segments of a connection, as the client sends them.
std::vector<std::uint8_t> frame_of(const Event& event) {
    constexpr std::uint8_t kAck = 0x10;
    text::PacketFields packet;
    packet.family = event.vip.family();
    packet.saddr = event.client;
    packet.daddr = event.vip;
    packet.sport = event.client_port;
    packet.dport = event.vip_port;
    packet.tcp_flags = kAck;
    return text::build_frame(packet);
}

} // namespace

Result<std::map<model::Handle, Answers>> answers_of(const kernel::Node& node,
                                                    const model::Config& config,
                                                    const std::vector<presets::Counted>& events) {
    std::map<model::Handle, Answers> all;
    const auto add = [&](model::Handle handle, const Answers& answers) {
        all[handle].resets += answers.resets;
        all[handle].sent_again += answers.sent_again;
    };
    std::optional<kernel::Explainer> explainer; // loaded where there is something to ask
    for (const presets::Counted& counted : events) {
        WEIR_TRY(const Event event, read_event(counted));
        const model::Service* service = service_of(config, event);
        if (service == nullptr) {
            continue; // of another address of this machine
        }
        add(service->handle, event.answers);
        if (!explainer) {
            WEIR_TRY(explainer, kernel::Explainer::open(node, kernel::Program::kIngress));
        }
        WEIR_TRY(const auto run, explainer->run(frame_of(event), 0));
        if (const auto* backend = service->backend_in(run.why.backend)) {
            add(backend->handle, event.answers);
        }
    }
    return all;
}

} // namespace weir::verbs
