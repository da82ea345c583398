#pragma once

#include <string>
#include <vector>

#include "trace/step.h"

namespace weir::flow {

// The way of a packet through the kernel, stage by stage.
enum class Stage {
    kXdp,
    kReceive,
    kTc,
    kIp,
    kNetfilter,
    kRoute,
    kForward,
    kLocal,
    kTransport,
    kSocket,
    kProcess, // has read it
    kOutput,
    kQueue,
    kDriver, // has been given it for sending
    kDropped,
    kFreed, // after it has done its work
};
const char* name(Stage stage);

// Where packets are looked at.
struct Hook {
    Stage stage;
    std::string source; // as of `weir trace`
    std::string what;   // for people: "ip_rcv"
    // Expressions beside what is fetched everywhere, and the names of their notes.
    std::string notes = {};
    std::string packet = "packet"; // the expression of its address
};
const std::vector<Hook>& hooks();

// Follow packets of Room::flows[0] through all of them, in the order of hooks().
Result<std::vector<trace::Step>> steps();

} // namespace weir::flow
