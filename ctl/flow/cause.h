#pragma once

#include "flow/packets.h"

namespace weir::flow {

enum class Fate { kDropped, kDelivered, kSent, kWaiting, kLost };
const char* name(Fate fate);

// What became of a packet, by what cause, and what mends it.
struct Verdict {
    Fate fate;
    std::string cause; // "nothing listens on udp 10.0.0.2:53"
    std::string mend;  // "" if nothing is wrong
    // "dropped in udp_rcv: nothing listens on …; start the service, or see `ss -lun`"
    std::string sentence;
};
Verdict judge(const Packet& packet);

} // namespace weir::flow
