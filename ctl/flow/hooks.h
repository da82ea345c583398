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
    std::string what;   // for people: "ip_rcv"; "": the name of the program that is there
    // Expressions beside what is fetched everywhere, and the names of their notes.
    std::string notes = {};
    std::string netns = "packet_netns";
    std::string length = "skb->len";
    bool ends = false; // the packet's buffer is another's from here on
};
// `programs`: XDP programs are loaded, which are looked at by fentry as well.
const std::vector<Hook>& hooks(bool programs);

// Follow packets of Room::flows[0] through all of them, in their order.
Result<std::vector<trace::Step>> steps(const std::vector<Hook>& hooks);

} // namespace weir::flow
