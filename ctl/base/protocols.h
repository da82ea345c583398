#pragma once

#include <cstdint>

namespace weir {

// IP protocol numbers (IANA).
inline constexpr std::uint8_t kIcmp = 1;
inline constexpr std::uint8_t kTcp = 6;
inline constexpr std::uint8_t kUdp = 17;
inline constexpr std::uint8_t kIcmpv6 = 58;

// Ethernet types (IEEE 802), in host byte order.
inline constexpr std::uint16_t kEthIpv4 = 0x0800;
inline constexpr std::uint16_t kEthIpv6 = 0x86dd;

} // namespace weir
