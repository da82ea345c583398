#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/address.h"
#include "flow/hooks.h"
#include "trace/event_text.h"

namespace weir::flow {

// What tells a packet from others of other connections.
struct Tuple {
    std::uint8_t protocol = 0; // IPPROTO_…
    bool known = false;        // else nothing here says anything
    IpAddr saddr = {}, daddr = {};
    std::uint16_t sport = 0, dport = 0; // host byte order; 0: none
    auto operator<=>(const Tuple&) const = default;
    std::string to_string() const; // "udp 10.0.0.1:4000 > 10.0.0.2:53"
};

// A packet was seen at a hook.
struct Sighting {
    std::uint64_t time = 0; // ns of CLOCK_MONOTONIC
    std::uint32_t cpu = 0;
    Stage stage{};
    std::string at = {};      // function or program
    std::uint64_t packet = 0; // address of its sk_buff; 0: it has none yet, or no more
    // In a program: what its entry and its exit have in common, as the address of an xdp_buff,
    // which the next frame may have, too; 0: not known.
    std::uint64_t frame = 0;
    Tuple tuple = {};
    std::string device = {};
    std::uint64_t netns = 0;  // inode of its namespace; 0: not known
    std::uint32_t length = 0; // octets
    std::uint32_t pid = 0;
    std::string comm = {};
    // What the hook says beside it: "reason" NO_SOCKET, "hook" input.
    std::vector<std::pair<std::string, std::string>> notes = {};
    // Of a drop, where the program itself says why: "Weir's ingress rule …", and what mends it.
    std::string cause = {};
    std::string mend = {};

    // By a program, at its end: that the frame is to go out, without a buffer of the stack.
    bool sends_frame() const;
    // On its way out, and not at a device yet: the kernel may have to ask for its address first.
    bool awaits_next_hop() const;
    // "" if there is no such note.
    std::string note(std::string_view name) const;
};

// Of an event that a step of hooks.h sent, with the notes "action" of a program at its end.
Sighting sighting_of(const trace_event& event, const trace::Probe& probe, const Hook& hook,
                     const trace::Names& names);

} // namespace weir::flow
