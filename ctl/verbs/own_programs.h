#pragma once

#include <functional>
#include <optional>

#include "flow/flow_text.h"
#include "flow/sighting.h"
#include "kernel/capture.h"
#include "verbs/capture_packet.h"

namespace weir::verbs {

// Weir's own programs as a place where packets of a flow are seen, with the rule or reason of each
// verdict: by the capture switch within them (docs/adr/0016), so that it works also where the
// kernel lets no program be traced.
class OwnPrograms {
public:
    // nullopt: Weir is not loaded. Refused while somebody else captures.
    static Result<std::optional<OwnPrograms>> open(const Context& cx, const flow::Flow& flow);

    // To be called again within Capture::kDeadline.
    Result<> poll(const std::function<void(flow::Sighting)>& each);
    // fentry has seen it in one of them, too.
    bool have(const flow::Sighting& sighting) const;

private:
    OwnPrograms(kernel::Node node, kernel::Capture capture, CaptureWords words, trace_flow flow,
                std::uint64_t netns)
        : node_(std::move(node)), capture_(std::move(capture)), words_(std::move(words)),
          flow_(flow), netns_(netns) {}
    void look(const kernel::CapturedPacket& packet,
              const std::function<void(flow::Sighting)>& each);

    kernel::Node node_;
    kernel::Capture capture_;
    CaptureWords words_;
    trace_flow flow_;
    std::uint64_t netns_; // inode
};

} // namespace weir::verbs
