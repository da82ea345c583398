#include "verbs/own_programs.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <linux/pkt_cls.h>
#include <sys/stat.h>

#include "flow/frame.h"
#include "kernel/objects.h"
#include "verbs/state.h"

namespace weir::verbs {
namespace {

constexpr std::uint32_t kSnap = 256; // octets: all headers, also of a tunnel
constexpr std::uint32_t kRing = 1U << 20;

std::string_view function_at(std::uint32_t hook) {
    constexpr std::array kFunctions = {kernel::Program::kIngress, kernel::Program::kTcIngress,
                                       kernel::Program::kTcEgress};
    return kernel::name(kFunctions.at(hook));
}

std::string action_of(const capture_record& record) {
    if (record.hook == HOOK_XDP) {
        return std::string(xdp_action_names().at(record.action));
    }
    return record.action == TC_ACT_SHOT       ? "shot"
           : record.action == TC_ACT_REDIRECT ? "redirect"
                                              : "unspec";
}

} // namespace

Result<std::optional<OwnPrograms>> OwnPrograms::open(const Context& cx, const flow::Flow& flow) {
    WEIR_TRY(auto node, node_if_loaded(cx));
    if (!node) {
        return std::nullopt;
    }
    CaptureWords words(cx);
    WEIR_CHECK(words.follow(*node));
    WEIR_TRY(auto capture,
             kernel::Capture::open(
                 *node, {.hooks = (1U << HOOK_COUNT) - 1, .snap = kSnap, .ring_octets = kRing}));
    struct stat own {};
    const std::uint64_t netns = stat("/proc/self/ns/net", &own) == 0 ? own.st_ino : 0;
    return OwnPrograms(*std::move(node), std::move(capture), std::move(words), flow.match, netns);
}

Result<> OwnPrograms::poll(const std::function<void(flow::Sighting)>& each) {
    const auto take = [&](const kernel::CapturedPacket& packet) { look(packet, each); };
    WEIR_CHECK(capture_.poll(0, take));
    return {};
}

void OwnPrograms::look(const kernel::CapturedPacket& packet,
                       const std::function<void(flow::Sighting)>& each) {
    const capture_record& record = packet.record;
    const auto entry = flow::tuples_of(packet.entry), exit = flow::tuples_of(packet.exit);
    const auto wanted = [&](const flow::Tuple& tuple) { return flow::is_of(flow_, tuple); };
    if (std::none_of(entry.begin(), entry.end(), wanted) &&
        std::none_of(exit.begin(), exit.end(), wanted)) {
        return;
    }
    words_.look(node_, record);
    constexpr int kCpuBits = 48; // of the id: CPU << 48 | number
    flow::Sighting sighting{.time = record.entered,
                            .cpu = static_cast<std::uint32_t>(record.id >> kCpuBits),
                            .stage = record.hook == HOOK_XDP ? flow::Stage::kXdp : flow::Stage::kTc,
                            .at = std::string(function_at(record.hook)),
                            .frame = record.id,
                            .tuple = entry.empty() ? flow::Tuple{} : entry.front(),
                            .device = words_.device(record.ifindex),
                            .netns = netns_,
                            .length = record.entry_len};
    each(sighting);
    sighting.time = record.left;
    sighting.tuple = exit.empty() ? flow::Tuple{} : exit.front();
    sighting.length = record.exit_len;
    sighting.notes = {{"action", action_of(record)}, {"by", words_.why(record)}};
    const std::string backend = words_.backend(record);
    if (!backend.empty()) {
        sighting.notes.emplace_back("to", backend);
    }
    if (record.verdict == VERDICT_DROP) {
        sighting.cause = words_.cause(record);
        sighting.mend = words_.mend(record);
    } else if (sighting.sends_frame() && !backend.empty()) {
        sighting.cause = fmt::format("Weir on {}, to backend {}", sighting.device, backend);
    }
    each(sighting);
}

bool OwnPrograms::have(const flow::Sighting& sighting) const {
    return sighting.stage == flow::Stage::kXdp && sighting.netns == netns_ &&
           sighting.at == function_at(HOOK_XDP);
}

} // namespace weir::verbs
