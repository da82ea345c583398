#pragma once

#include <cstdint>
#include <string>

#include "flow/packets.h"

// Sightings of one query, as a kernel would tell them.
namespace weir::flow {

inline const Tuple kQuery{.protocol = 17,
                   .known = true,
                   .saddr = IpAddr::v4(0x0a000002),
                   .daddr = IpAddr::v4(0x0a000202),
                   .sport = 4000,
                   .dport = 53};

inline Sighting at(Stage stage, std::uint64_t time, std::uint64_t packet, const Tuple& tuple = kQuery) {
    return {.time = time,
            .stage = stage,
            .at = name(stage),
            .packet = packet,
            .tuple = tuple,
            .device = "eth0",
            .netns = 7,
            .length = 33};
}

inline Sighting in_program(const char* program, std::uint64_t time, const char* device = "eth0",
                    const Tuple& tuple = kQuery) {
    Sighting sighting = at(Stage::kXdp, time, 0, tuple);
    sighting.at = program;
    sighting.frame = 0xf0;
    sighting.device = device;
    return sighting;
}

inline Sighting out_of(const char* program, const char* action, std::uint64_t time,
                const char* device = "eth0", const Tuple& tuple = kQuery) {
    Sighting sighting = in_program(program, time, device, tuple);
    sighting.notes = {{"action", action}};
    return sighting;
}

} // namespace weir::flow
