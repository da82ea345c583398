#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace weir::text {

// A frame in one short line: "10.0.0.1:999 > 10.0.1.1:23 tcp S". What is cut off or unknown is said
// by as much as there is: "vlan 7 arp", "ethertype 0x88cc".
std::string frame_text(std::span<const std::uint8_t> frame);

} // namespace weir::text
